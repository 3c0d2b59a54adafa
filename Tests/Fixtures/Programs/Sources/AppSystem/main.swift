// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Reports on the allocator of its process. Which one that is, the manifest says alone.

import AllocatorABI
import AllocatorTestKit
import Glibc
import SystemAllocator

switch CommandLine.arguments.dropFirst().first {
case "name":
  print(GlobalAllocator.name)
case "facts":
  printFacts()
case "exhaust":
  exhaustMemory()
case "release":
  releaseMemory()
case "laws":
  exit(AllocatorLaws<GlobalAllocator>.check(limits: lawLimits) ? 0 : 1)
case "system-laws":
  exit(checkSystemAllocator() ? 0 : 1)
default:
  print("usage: \(CommandLine.arguments[0]) name|facts|exhaust|release|laws|system-laws")
  exit(64)
}

/// Prints facts about the process that no name can fake: which allocators' libraries are mapped, and by how much each one's own
/// count of bytes grows with a Swift array, and with blocks of the facade: small alignment, large, resized. Where no library is
/// mapped, the count is the linked allocator's own.
func printFacts() {
  let counters: [(String, () -> Int?)] = [
    ("jemalloc", jemallocAllocatedBytes), ("mimalloc", mimallocCommittedBytes), ("tcmalloc", tcmallocAllocatedBytes),
  ]
  var mapped = counters.filter { isMapped("lib\($0.0)") }
  print("mapped: \(mapped.isEmpty ? "none" : mapped.map(\.0).joined(separator: " "))")
  if mapped.isEmpty { mapped = [(GlobalAllocator.name, { GlobalAllocator.statistics.liveBytes })] }
  let size = 32 << 20
  var counts: [[Int]] = []
  func count() { counts.append(mapped.map { $0.1() ?? 0 }) }
  count()
  let array = [UInt8](repeating: 1, count: 2 * size)
  count()
  let block = GlobalAllocator.allocate(size: size, align: 16)
  count()
  let aligned = GlobalAllocator.allocate(size: size, align: 4096)
  count()
  let grown = block.flatMap { GlobalAllocator.reallocate($0, oldSize: size, size: 3 * size, align: 16) }
  count()
  precondition(array[array.count - 1] == 1 && aligned != nil && grown != nil)
  for (index, library) in mapped.enumerated() {
    let growth = zip(counts, counts.dropFirst()).map { String($1[index] - $0[index]) }.joined(separator: " ")
    print("\(library.0) grew with the array, a block, an aligned block, the resized block: \(growth)")
  }
}

/// Checks the type `SystemAllocator`, and prints by how much jemalloc grew with a block of it.
func checkSystemAllocator() -> Bool {
  let before = jemallocAllocatedBytes() ?? 0
  let block = SystemAllocator.allocate(size: 32 << 20, align: 16)
  let after = jemallocAllocatedBytes() ?? 0
  precondition(block != nil)
  print("jemalloc grew with the system's block: \(after - before)")
  return AllocatorLaws<SystemAllocator>.check(limits: lawLimits)
}

/// What the contract asks for, or a part of it where the cases in C do less, too.
nonisolated var lawLimits: LawLimits {
  getenv("SHORT_CASES") == nil
    ? LawLimits() : LawLimits(largestSize: 1 << 20, operations: 4_000, operationsPerThread: 1_000)
}

func isMapped(_ library: String) -> Bool {
  guard let maps = fopen("/proc/self/maps", "r") else { return false }
  defer { fclose(maps) }
  var line = [CChar](repeating: 0, count: 4096)
  while fgets(&line, Int32(line.count), maps) != nil {
    if strstr(line, library) != nil { return true }
  }
  return false
}

/// jemalloc's `stats.allocated`, or nil where there is no jemalloc in the process.
func jemallocAllocatedBytes() -> Int? {
  typealias Control =
    @convention(c) (
      UnsafePointer<CChar>, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?, UnsafeMutableRawPointer?, Int
    ) -> Int32
  guard let symbol = dlsym(nil, "mallctl") else { return nil }
  let mallctl = unsafeBitCast(symbol, to: Control.self)
  // Writing the epoch refreshes the statistics.
  var epoch: UInt64 = 1
  var allocated = 0
  var length = MemoryLayout<Int>.size
  guard mallctl("epoch", nil, nil, &epoch, MemoryLayout<UInt64>.size) == 0,
    mallctl("stats.allocated", &allocated, &length, nil, 0) == 0
  else { return nil }
  return allocated
}

/// What mimalloc has committed, by `mi_process_info`, or nil where there is no mimalloc in the process.
func mimallocCommittedBytes() -> Int? {
  typealias Bytes = UnsafeMutablePointer<Int>?
  typealias Information = @convention(c) (Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes) -> Void
  guard let symbol = dlsym(nil, "mi_process_info") else { return nil }
  var committed = 0
  unsafeBitCast(symbol, to: Information.self)(nil, nil, nil, nil, nil, &committed, nil, nil)
  return committed
}

/// tcmalloc's `generic.current_allocated_bytes`, or nil where there is no tcmalloc in the process.
func tcmallocAllocatedBytes() -> Int? {
  typealias Property = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<Int>) -> CInt
  guard let symbol = dlsym(nil, "MallocExtension_GetNumericProperty") else { return nil }
  var allocated = 0
  let found = unsafeBitCast(symbol, to: Property.self)("generic.current_allocated_bytes", &allocated)
  return found == 1 ? allocated : nil
}

/// Under a limit of the address space: what does not fit gives nil and leaves the old block as it was, and the allocator
/// works on.
func exhaustMemory() {
  let mebibyte = 1 << 20
  guard let block = GlobalAllocator.allocate(size: mebibyte, align: 64) else { fatalError("the first block") }
  block.initializeMemory(as: UInt8.self, repeating: 0x5a, count: mebibyte)

  var limit = rlimit(rlim_cur: 2 << 30, rlim_max: 2 << 30)
  precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)

  for align in [1, 16, 64, 1 << 21] {
    precondition(GlobalAllocator.allocate(size: 4 << 30, align: align) == nil)
  }
  precondition(GlobalAllocator.reallocate(block, oldSize: mebibyte, size: 4 << 30, align: 64) == nil)
  let inPlace = GlobalAllocator.reallocateInPlace(block, oldSize: mebibyte, size: 4 << 30, align: 64)
  precondition(inPlace == GlobalAllocator.usableSize(size: mebibyte, align: 64))

  // Until nothing is left, then everything back.
  var blocks: [UnsafeMutableRawPointer] = []
  blocks.reserveCapacity(4096)
  while let next = GlobalAllocator.allocate(size: mebibyte, align: 16) { blocks.append(next) }
  precondition(blocks.count > 512)
  precondition(GlobalAllocator.reallocate(block, oldSize: mebibyte, size: 64 * mebibyte, align: 64) == nil)
  for next in blocks { GlobalAllocator.deallocate(next, oldSize: mebibyte, align: 16) }

  let bytes = UnsafeRawBufferPointer(start: block, count: mebibyte)
  precondition(bytes.allSatisfy { $0 == 0x5a })
  guard let grown = GlobalAllocator.reallocate(block, oldSize: mebibyte, size: 2 * mebibyte, align: 64) else {
    fatalError("no memory after the release of everything")
  }
  GlobalAllocator.deallocate(grown, oldSize: 2 * mebibyte, align: 64)
  print("exhausted \(blocks.count > 0)")
}

/// Past a peak of 96 MiB in blocks of all sizes: prints by how much the process's resident memory has grown at the peak, when
/// the blocks are released, and when their memory is given back to the system.
func releaseMemory() {
  let mebibyte = 1 << 20
  // Sizes in bytes from … up to …, and as many bytes of them in all.
  let kinds = [(16, 1024, 32 * mebibyte), (4096, 65_536, 32 * mebibyte), (mebibyte, 4 * mebibyte, 32 * mebibyte)]
  var blocks: [(pointer: UnsafeMutableRawPointer, size: Int)] = []
  blocks.reserveCapacity(100_000)
  func peak() {
    for (least, most, total) in kinds {
      var left = total
      while left > 0 {
        let size = least + blocks.count * 7919 % (most - least)
        guard let pointer = GlobalAllocator.allocate(size: size, align: 16) else { fatalError("\(size) bytes") }
        memset(pointer, Int32(blocks.count % 251), size)
        blocks.append((pointer, size))
        left -= size
      }
    }
  }
  /// All blocks but a few, which lie among the others and keep what is in them.
  func release() -> [(index: Int, pointer: UnsafeMutableRawPointer, size: Int)] {
    var kept: [(index: Int, pointer: UnsafeMutableRawPointer, size: Int)] = []
    for (index, block) in blocks.enumerated() {
      if index % 4096 == 4095 {
        kept.append((index, block.pointer, block.size))
      } else {
        GlobalAllocator.deallocate(block.pointer, oldSize: block.size, align: 16)
      }
    }
    blocks.removeAll(keepingCapacity: true)
    return kept
  }
  let before = residentBytes()
  peak()
  let atPeak = residentBytes()
  let kept = release()
  let released = residentBytes()
  GlobalAllocator.releaseFreeMemory()
  let after = residentBytes()
  for (index, pointer, size) in kept {
    precondition(UnsafeRawBufferPointer(start: pointer, count: size).allSatisfy { $0 == UInt8(index % 251) })
  }
  // What was given away can be had again.
  peak()
  print("peak \(atPeak - before), released \(released - before), given back \(after - before), kept \(kept.count)")
}

/// The resident memory of this process, read without an allocation.
func residentBytes() -> Int {
  let file = open("/proc/self/statm", O_RDONLY)
  defer { close(file) }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
    let count = read(file, text.baseAddress!, 255)
    precondition(count > 0)
    text[count] = 0
    // Pages: the program's size, and those that are resident.
    var end: UnsafeMutablePointer<CChar>?
    _ = strtol(text.baseAddress!, &end, 10)
    return strtol(end!, nil, 10) * Int(getpagesize())
  }
}
