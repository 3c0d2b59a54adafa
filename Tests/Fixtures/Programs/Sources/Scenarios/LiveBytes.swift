// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

/// Prints the live bytes that the allocator tells, and those counted here, of blocks that four threads leave behind.
func printLiveBytes() {
  _ = GlobalAllocator.statistics
  let table = UnsafeMutablePointer<(UnsafeMutableRawPointer, Int)?>.allocate(capacity: 40_000)
  table.initialize(repeating: nil, count: 40_000)
  // Whatever a thread costs is paid once.
  onThreads { _ in }
  let before = GlobalAllocator.statistics
  onThreads { thread in
    for index in thread * 10_000..<(thread + 1) * 10_000 {
      let size = index * 37 % 2_000 + (index % 1_000 == 0 ? 3 << 20 : 1)
      table[index] = (GlobalAllocator.allocate(size: size, align: 16)!, size)
    }
    for index in thread * 10_000..<(thread + 1) * 10_000 where index % 10 != 0 {
      GlobalAllocator.deallocate(table[index]!.0, oldSize: table[index]!.1, align: 16)
      table[index] = nil
    }
  }
  let after = GlobalAllocator.statistics
  var bytes = 0
  var blocks = 0
  for index in 0..<40_000 {
    guard let (_, size) = table[index] else { continue }
    bytes += GlobalAllocator.usableSize(size: size, align: 16)
    blocks += 1
  }
  print(after.liveBytes! - before.liveBytes!, bytes)
  print(after.liveBlocks.map { $0 - before.liveBlocks! } ?? -1, blocks)
}

private func onThreads(_ body: @escaping (Int) -> Void) {
  typealias Context = (body: (Int) -> Void, index: Int)
  let contexts = UnsafeMutablePointer<Context>.allocate(capacity: 4)
  let threads = UnsafeMutablePointer<pthread_t>.allocate(capacity: 4)
  for index in 0..<4 {
    (contexts + index).initialize(to: (body, index))
    pthread_create(
      threads + index, nil,
      { pointer in
        let context = pointer!.assumingMemoryBound(to: Context.self).pointee
        context.body(context.index)
        return nil
      }, contexts + index)
  }
  for index in 0..<4 { pthread_join(threads[index], nil) }
  contexts.deinitialize(count: 4)
  contexts.deallocate()
  threads.deallocate()
}
