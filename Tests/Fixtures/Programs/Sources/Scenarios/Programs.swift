// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

private final class Session {
  var name: String
  var values: [Int]

  init(number: Int, count: Int) {
    name = "session number \(number) of a user with a name"
    values = Array(repeating: number, count: count)
  }
}

// What the programs hold on to: global, so that it is there still when the verdict is asked for.
nonisolated(unsafe) private var sessions: [Int: Session] = [:]
nonisolated(unsafe) private var buffers: [[UInt8]] = []
nonisolated(unsafe) private var lost: UnsafeMutableRawPointer?
nonisolated(unsafe) private var blocks: [UnsafeMutableRawPointer?] = []
nonisolated(unsafe) private var barrier = pthread_barrier_t()

/// What a request allocates and releases.
private func serveRequest(_ random: inout SplitMix64) {
  let parts = (0..<Int.random(in: 10...100, using: &random)).map { "part \($0) of the request" }
  let text = parts.joined(separator: ", ")
  if text.utf8.count == 1 { print(text) }
}

/// Leaks: a service that forgets to remove its sessions. Some 400 KiB a second, among requests.
func leakSessions(_ work: Workload) {
  var random = SplitMix64()
  work.everyTurn { turn in
    for index in 0..<40 {
      serveRequest(&random)
      sessions[turn * 40 + index] = Session(number: index, count: Int.random(in: 50...150, using: &random))
    }
  }
}

/// Leaks: buffers of C that nobody frees, in bursts every second and a half, beside a cache whose size goes up and down.
func leakBuffers(_ work: Workload) {
  var random = SplitMix64()
  work.everyTurn { turn in
    serveRequest(&random)
    if turn % 15 == 7 {
      for _ in 0..<40 {
        let size = Int.random(in: 1_000...60_000, using: &random)
        lost = malloc(size)
        memset(lost!, 1, size)
      }
    }
    if Bool.random(using: &random) || buffers.count < 20 {
      buffers.append([UInt8](repeating: 1, count: Int.random(in: 1_000...8_000, using: &random)))
    } else {
      buffers.removeFirst(5)
    }
  }
}

/// Retains: a cache of some 150 MiB, of which 19 of 20 entries are dropped at random, and small traffic then.
func retainCache(_ work: Workload) {
  var random = SplitMix64()
  blocks.reserveCapacity(500_000)
  for _ in 0..<500_000 {
    let size = Int.random(in: 100...500, using: &random)
    let block = malloc(size)!
    memset(block, 1, size)
    blocks.append(block)
  }
  for index in blocks.indices where Int.random(in: 0..<20, using: &random) != 0 {
    free(blocks[index])
    blocks[index] = nil
  }
  work.everyTurn { _ in serveRequest(&random) }
}

/// Retains: 64 threads that have had 3 MiB each at once, and released them.
func retainThreads(_ work: Workload) {
  var random = SplitMix64()
  var threads = [pthread_t](repeating: pthread_t(), count: 64)
  pthread_barrier_init(&barrier, nil, 64)
  for index in threads.indices {
    pthread_create(
      &threads[index], nil,
      { _ in
        var random = SplitMix64()
        var blocks: [UnsafeMutableRawPointer] = []
        for _ in 0..<6_000 {
          let size = Int.random(in: 16...1_000, using: &random)
          let block = malloc(size)!
          memset(block, 1, size)
          blocks.append(block)
        }
        pthread_barrier_wait(&barrier)
        // One in a hundred is the result.
        for (index, block) in blocks.enumerated() where index % 100 != 0 { free(block) }
        while true { pause() }
      }, nil)
  }
  work.everyTurn { _ in serveRequest(&random) }
}

/// Grows outside the allocator: mappings that are written and never unmapped, 1 MiB a second.
func mapMemory(_ work: Workload) {
  var random = SplitMix64()
  work.everyTurn { turn in
    serveRequest(&random)
    if turn % 10 == 0 {
      let size = 1 << 20
      let mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      memset(mapping!, 1, size)
    }
  }
}

/// Steady: a cache that is full, whose entries are replaced at random, with requests that come in waves.
func staySteady(_ work: Workload) {
  var random = SplitMix64()
  func entry() -> [UInt8] { [UInt8](repeating: 1, count: Int.random(in: 500...20_000, using: &random)) }
  buffers = (0..<3_000).map { _ in entry() }
  work.everyTurn { turn in
    let requests = 20 + Int(15 * sin(Double(turn) / 30))
    for _ in 0..<requests {
      serveRequest(&random)
      buffers[Int.random(in: 0..<buffers.count, using: &random)] = entry()
    }
  }
}
