// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import KitSupport

/// One check of one law: makes the calls, counts them, keeps the books, and knows how to say what went wrong.
///
/// The books are of the blocks that the trial asked the allocator for by name. The kit's own arrays and strings come
/// from the process's malloc, which may be the same allocator, and are never in them.
final class LawTrial<Allocator: AllocatorABI> {
  let law: AllocatorLaw
  let seed: UInt64
  let limits: LawLimits
  /// Nil for an allocator without `MallocABI`.
  let malloc: MallocOperations?
  var random: SplitMix64
  /// The number of allocator calls so far.
  private(set) var step = 0
  private var lastTag: Int

  /// - Parameter stream: tells trials of the same seed apart, so that each can be made again without the others.
  init(law: AllocatorLaw, seed: UInt64, limits: LawLimits, stream: Int) {
    self.law = law
    self.seed = seed
    self.limits = limits
    malloc = MallocOperations(Allocator.self)
    var seeder = SplitMix64(seed: seed ^ UInt64(stream) << 32)
    random = SplitMix64(seed: seeder.next())
    // Threads' tags are to differ too.
    lastTag = random.below(1 << 30)
  }

  // MARK: Saying what is wrong

  func violation(_ message: String, of law: AllocatorLaw? = nil) -> LawViolation {
    LawViolation(
      law: law ?? self.law, allocator: String(describing: Allocator.self), message: message, step: step, seed: seed)
  }

  func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw violation(message()) }
  }

  // MARK: Calls

  func nextTag() -> Int {
    lastTag += 1
    return lastTag
  }

  func countStep() { step += 1 }

  func rawAllocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    step += 1
    return Allocator.allocate(size: size, align: align)
  }

  func rawReallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    step += 1
    return Allocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  func usableSize(size: Int, align: Int) -> Int {
    step += 1
    return Allocator.usableSize(size: size, align: align)
  }

  /// A block, not filled yet.
  func allocate(size: Int, align: Int) throws -> TestBlock {
    guard let pointer = rawAllocate(size: size, align: align) else {
      throw violation("allocate(size: \(size), align: \(align)) returned nil", of: .servesRequests)
    }
    let usable = usableSize(size: size, align: align)
    return TestBlock(pointer: pointer, size: size, align: align, usable: usable, tag: nextTag())
  }

  /// A block of zeros.
  func allocateZeroed(_ malloc: MallocOperations, size: Int, align: Int) throws -> TestBlock {
    let call = "allocateZeroed(size: \(size), align: \(align))"
    step += 1
    guard let pointer = malloc.allocateZeroed(size, align) else {
      throw violation("\(call) returned nil", of: law == .allocateZeroed ? nil : .servesRequests)
    }
    try expectAligned(pointer, align, call)
    if let byte = BytePattern.firstNonzero(pointer, count: size) {
      throw violation("\(call) returned \(pointer) with byte \(byte) not zero")
    }
    let usable = usableSize(size: size, align: align)
    return TestBlock(pointer: pointer, size: size, align: align, usable: usable, tag: nextTag())
  }

  /// A block whose first `size` bytes are filled.
  func allocateFilled(size: Int, align: Int) throws -> TestBlock {
    var block = try allocate(size: size, align: align)
    fill(&block, count: size)
    return block
  }

  func deallocate(_ block: TestBlock, oldSize: Int? = nil) {
    step += 1
    Allocator.deallocate(block.pointer, oldSize: oldSize ?? block.size, align: block.align)
  }

  /// Resizes the block; its contents are for the caller to check, the first `min(block.filled, size)` bytes of them.
  func reallocate(_ block: inout TestBlock, oldSize: Int? = nil, size: Int) throws {
    let oldSize = oldSize ?? block.size
    guard let pointer = rawReallocate(block.pointer, oldSize: oldSize, size: size, align: block.align) else {
      throw violation("reallocate of \(block.name) to size \(size) returned nil", of: .servesRequests)
    }
    block.pointer = pointer
    block.size = size
    block.usable = usableSize(size: size, align: block.align)
    block.filled = min(block.filled, min(oldSize, size))
  }

  /// Resizes the block in place, and notes what that gave. Returns what the allocator returned.
  @discardableResult
  func reallocateInPlace(_ block: inout TestBlock, oldSize: Int? = nil, size: Int) -> Int {
    let oldSize = oldSize ?? block.size
    step += 1
    let result = Allocator.reallocateInPlace(block.pointer, oldSize: oldSize, size: size, align: block.align)
    let worked =
      size > oldSize ? result >= size : result == usableSize(size: size, align: block.align)
    if worked {
      block.size = size
      block.usable = result
      block.filled = min(block.filled, size)
    }
    return result
  }

  // MARK: Contents

  func fill(_ block: inout TestBlock, count: Int) {
    block.tag = nextTag()
    block.filled = count
    BytePattern.fill(block.pointer, count: count, tag: block.tag)
  }

  func expectContents(_ block: TestBlock, _ when: @autoclosure () -> String) throws {
    guard let byte = BytePattern.firstDifference(block.pointer, count: block.filled, tag: block.tag) else { return }
    throw violation("byte \(byte) of \(block.filled) in \(block.name) is not as written \(when())")
  }

  func expectContents(_ blocks: [TestBlock], _ when: @autoclosure () -> String) throws {
    for block in blocks { try expectContents(block, when()) }
  }

  // MARK: Places

  /// Whether the first `length` bytes of each block are its own.
  func expectDisjoint(_ blocks: [TestBlock], _ length: (TestBlock) -> Int) throws {
    var furthest: TestBlock?
    for block in TestBlock.sorted(blocks) where length(block) > 0 {
      if let before = furthest, before.pointer + length(before) > block.pointer {
        throw violation("the \(length(before)) bytes of \(before.name) reach into \(block.name), which is live too")
      }
      furthest = block
    }
  }

  func expectAligned(_ pointer: UnsafeMutableRawPointer, _ align: Int, _ call: @autoclosure () -> String) throws {
    let address = UInt(bitPattern: pointer)
    try expect(address & UInt(align - 1) == 0, "\(call()) returned \(pointer), which is not aligned to \(align)")
  }

  /// Allocates blocks of the same kind as `block`, writes to all, and looks whether one took the place of `block`: it
  /// would where the allocator believes that the block was released.
  func expectStillOwned(_ block: TestBlock, _ when: @autoclosure () -> String) throws {
    try expectContents(block, when())
    var others: [TestBlock] = []
    for _ in 0..<24 { others.append(try allocateFilled(size: block.size, align: block.align)) }
    try expectContents(block, "after other blocks were allocated, \(when())")
    try expectDisjoint(others + [block]) { $0.size }
    for other in others { deallocate(other) }
  }
}
