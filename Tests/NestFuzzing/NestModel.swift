// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import CNestTestSupport
import Glibc
import NestAllocator

/// NestAllocator next to a model of it, a table of the live blocks: an operation on both finds where they differ.
struct NestModel {
  private var blocks = [ModelBlock?](repeating: nil, count: 256)
  private var input: FuzzInput
  private var liveBytes = 0
  private var made: UInt64 = 0
  /// Whether a mapping of the system may fail, so that nil is no error.
  private var mayFail = false
  private var helper = HelperThread()

  /// More is not allocated, because the process must not run out of memory.
  private static let liveBytesLimit = 64 << 20

  /// Does what the input says, and releases all.
  static func run(_ bytes: UnsafeBufferPointer<UInt8>) {
    var model = NestModel(input: FuzzInput(bytes))
    var operations = 0
    while !model.input.isAtEnd {
      let choice = model.input.byte()
      model.onThread(choice >> 7) { $0.operate(choice & 127) }
      operations += 1
      if operations % 64 == 0 { model.onThread(choice >> 6 & 1) { _ in NestAllocator.checkInvariants() } }
    }
    model.finish()
  }

  private init(input: FuzzInput) { self.input = input }

  private mutating func onThread(_ index: Int, _ body: (inout NestModel) -> Void) {
    if index == 0 {
      body(&self)
    } else {
      helper.run { body(&self) }
    }
  }

  private mutating func finish() {
    nest_fail_calls(0, 0, 0)
    onThread(1) { _ in NestAllocator.checkInvariants() }
    NestAllocator.checkInvariants()
    for index in blocks.indices { release(index, sized: index % 2 == 0) }
    onThread(1) { _ in NestAllocator.checkInvariants() }
    helper.end()
    NestAllocator.checkInvariants()
  }

  private mutating func operate(_ choice: Int) {
    let index = input.byte()
    switch choice % 20 {
    case 0...3: allocate(at: index, size: input.size(), align: 16)
    case 4: allocate(at: index, size: input.size(), align: input.alignment())
    case 5: allocate(at: index, size: input.size(), align: input.alignment(), zeroed: true)
    case 6: allocate(at: index, size: input.size(), align: 16, zeroed: true)
    case 7: release(index, sized: false)
    case 8: release(index, sized: true)
    case 9, 10: reallocate(index, size: input.size(), oldSize: input.byte())
    case 11: reallocateByPointer(index, size: input.size())
    case 12, 13: reallocateInPlace(index, size: input.size(), oldSize: input.byte())
    case 14: checkKept(index)
    case 15: failMappings()
    case 16: refuseBadInput(index)
    case 17: allocateRun(at: index, size: input.size(), count: input.byte())
    case 18: releaseRun(index, count: input.byte())
    default: callAtLarge(input.byte())
    }
  }

  // MARK: Allocating and releasing

  private mutating func allocate(at index: Int, size: Int, align: Int, zeroed: Bool = false) {
    release(index, sized: false)
    guard liveBytes + size + align <= Self.liveBytesLimit else { return }
    errno = 0
    let pointer =
      zeroed ? NestAllocator.allocateZeroed(size: size, align: align) : NestAllocator.allocate(size: size, align: align)
    guard let pointer else { return checkFailure("allocate(size: \(size), align: \(align))") }
    checkErrno("allocate(size: \(size), align: \(align))")
    if zeroed {
      let offset = matching_zeros(pointer, size)
      require(offset == size, "of \(size) zeroed bytes, aligned to \(align), what is at \(offset) is not zero")
    }
    put(pointer, size: size, align: align, at: index)
    let usable = NestAllocator.usableSize(size: size, align: align)
    require(
      blocks[index].map { $0.usable >= usable } ?? false,
      "usableSize(size: \(size), align: \(align)) is \(usable), usableSize(of:) is less")
  }

  private mutating func put(_ pointer: UnsafeMutableRawPointer, size: Int, align: Int, at index: Int) {
    made += 1
    // Filled after the check, which so names the two.
    let end = pointer + max(NestAllocator.usableSize(of: pointer), 1)
    for case let other? in blocks {
      require(end <= other.pointer || other.end <= pointer, "\(pointer)..<\(end) overlaps \(other)")
    }
    blocks[index] = ModelBlock(pointer, size: size, align: align, seed: made &* 0x0123_4567_89ab_cdef)
    liveBytes += blocks[index].unsafelyUnwrapped.usable
  }

  private mutating func remove(_ index: Int) {
    liveBytes -= blocks[index]?.usable ?? 0
    blocks[index] = nil
  }

  private mutating func release(_ index: Int, sized: Bool) {
    guard let block = blocks[index] else { return }
    block.checkContents(block.usable, after: "while live")
    remove(index)
    errno = 77
    if sized {
      NestAllocator.deallocate(block.pointer, oldSize: block.size, align: block.align)
    } else {
      NestAllocator.deallocate(block.pointer)
    }
    require(errno == 77, "deallocate left \(errno) in errno")
  }

  private mutating func allocateRun(at index: Int, size: Int, count: Int) {
    for next in 0..<(count % (size > 4096 ? 8 : 64)) {
      allocate(at: (index + next) % blocks.count, size: size, align: 16)
    }
  }

  private mutating func releaseRun(_ index: Int, count: Int) {
    for next in 0..<(count % 64) {
      let offset = count < 128 ? next : 63 - next
      release((index + offset) % blocks.count, sized: count % 2 == 0)
    }
  }

  // MARK: Resizing

  /// Any size from the one asked for to the usable one.
  private func oldSize(_ block: ModelBlock, _ choice: Int) -> Int {
    block.size + (block.usable - block.size) * (choice % 5) / 4
  }

  private mutating func reallocate(_ index: Int, size: Int, oldSize choice: Int) {
    guard let block = blocks[index], liveBytes + size <= Self.liveBytesLimit else { return }
    let oldSize = oldSize(block, choice)
    let call = "reallocate(oldSize: \(oldSize), size: \(size), align: \(block.align))"
    errno = 0
    guard let moved = NestAllocator.reallocate(block.pointer, oldSize: oldSize, size: size, align: block.align) else {
      return checkFailure(call)
    }
    resized(index, block, to: moved, size: size, kept: min(oldSize, size), align: block.align, call)
  }

  private mutating func reallocateByPointer(_ index: Int, size: Int) {
    guard let block = blocks[index], liveBytes + size <= Self.liveBytesLimit else { return }
    errno = 0
    guard let moved = NestAllocator.reallocate(block.pointer, size: size) else {
      return checkFailure("reallocate(size: \(size))")
    }
    resized(
      index, block, to: moved, size: size, kept: min(block.usable, size), align: 16, "reallocate(size: \(size))")
  }

  private mutating func resized(
    _ index: Int, _ block: ModelBlock, to moved: UnsafeMutableRawPointer, size: Int, kept: Int, align: Int,
    _ call: String
  ) {
    checkErrno(call)
    block.checkContents(kept, at: moved, after: call)
    remove(index)
    put(moved, size: size, align: align, at: index)
  }

  private mutating func reallocateInPlace(_ index: Int, size: Int, oldSize choice: Int) {
    guard let block = blocks[index], liveBytes + size <= Self.liveBytesLimit else { return }
    let (oldSize, align) = (oldSize(block, choice), block.align)
    let result = NestAllocator.reallocateInPlace(block.pointer, oldSize: oldSize, size: size, align: align)
    let call = "reallocateInPlace(oldSize: \(oldSize), size: \(size), align: \(align)) = \(result)"
    let unchanged = NestAllocator.usableSize(size: oldSize, align: align)
    let worked = size > oldSize ? result >= size : result == NestAllocator.usableSize(size: size, align: align)
    require(worked || result == unchanged, "\(call), but it was \(unchanged)")
    require(NestAllocator.usableSize(of: block.pointer) >= result, "\(call), usableSize(of:) says less")
    let newSize = worked ? size : block.size
    block.checkContents(worked ? min(oldSize, size) : block.usable, after: call)
    remove(index)
    put(block.pointer, size: newSize, align: align, at: index)
  }

  // MARK: What changes no block

  private func checkKept(_ index: Int) {
    guard let block = blocks[index] else { return }
    block.checkContents(block.usable, after: "while live")
    let usable = NestAllocator.usableSize(of: block.pointer)
    require(usable == block.usable, "usableSize(of:) of \(block) has become \(usable)")
  }

  /// A call that worked leaves errno alone, also where a mapping failed first and memory was found elsewhere.
  private func checkErrno(_ call: String) {
    require(errno == 0, "\(call) left \(errno) in errno")
  }

  private func checkFailure(_ call: String) {
    require(mayFail, "\(call) failed")
    require(errno == ENOMEM, "\(call) failed and left \(errno) in errno")
  }

  /// The next mappings fail, or no more do.
  private mutating func failMappings() {
    let choice = input.byte()
    mayFail = choice >= 64
    if mayFail {
      nest_fail_calls(
        UInt32(NEST_MAP | NEST_UNMAP | NEST_PURGE | NEST_REMAP | NEST_MOVE), choice & 7, choice & 8 == 0 ? 1 : .max)
    } else {
      nest_fail_calls(0, 0, 0)
    }
  }

  private mutating func refuseBadInput(_ index: Int) {
    let (size, align) = (input.size(), input.byte() * 2 + 1)
    for (size, align) in [(-1 - size, 16), (.min, 16), (size, 0), (size, -align), (size, align * 2 + 4)]
    where size < 0 || align.nonzeroBitCount != 1 {
      require(NestAllocator.allocate(size: size, align: align) == nil, "allocate(\(size), \(align)) worked")
      require(NestAllocator.allocateZeroed(size: size, align: align) == nil, "allocateZeroed(\(size), \(align)) worked")
    }
    for size in [Int.max, Int.max - 15, Int.max - size] {
      require(NestAllocator.allocate(size: size, align: 16) == nil, "allocate(size: \(size), align: 16) worked")
    }
    guard let block = blocks[index] else { return }
    let moved = NestAllocator.reallocate(block.pointer, oldSize: block.size, size: -1 - size, align: block.align)
    require(moved == nil, "reallocate(size: \(-1 - size)) worked")
    checkKept(index)
  }

  private mutating func callAtLarge(_ choice: Int) {
    switch choice % 4 {
    case 0: NestAllocator.releaseFreeMemory()
    case 1: NestAllocator.checkInvariants()
    case 2:
      // Not by itself.
      helper.isCurrent ? NestAllocator.checkInvariants() : renewHelper()
    default: for index in blocks.indices { checkKept(index) }
    }
  }

  private mutating func renewHelper() {
    helper.end()
    helper = HelperThread()
  }
}
