// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc
import Synchronization

extension LawTrial {
  /// Threads that pass each other their blocks: each allocates, fills, puts the block into a slot that all share, and
  /// verifies, resizes or releases what it finds there. Threads end while others still hold their blocks.
  func checkAnyThread() throws {
    let exchange = BlockExchange(slotCount: 256)
    let rounds = 3
    var violations: [LawViolation] = []
    for round in 0..<rounds {
      let workers = (0..<limits.threads).map { number in
        Worker<Allocator>(
          seed: seed, stream: 1000 + round * 100 + number, limits: limits, exchange: exchange,
          operationCount: limits.operationsPerThread / rounds)
      }
      let threads = workers.map { worker in BodyThread { worker.run() } }
      for thread in threads { thread.join() }
      violations += workers.compactMap(\.violation)
      if let first = violations.first { throw first }
    }
    // What is left is released by a thread that allocated none of it.
    let last = Worker<Allocator>(seed: seed, stream: 999, limits: limits, exchange: exchange, operationCount: 0)
    last.releaseAll()
    if let violation = last.violation { throw violation }
  }
}

/// A thread with a body.
private final class BodyThread {
  private let thread: pthread_t

  init(_ body: @escaping () -> Void) {
    final class Box {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    let error = pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue().body()
        return nil
      }, box)
    if error != 0 { fatalError("AllocatorTestKit: pthread_create failed: \(error)") }
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}

/// Slots in which threads leave blocks for each other.
private final class BlockExchange: Sendable {
  // Safety: allocated here, initialized before any other thread sees it, released when none does.
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt>>
  let slotCount: Int

  init(slotCount: Int) {
    self.slotCount = slotCount
    slots = .allocate(capacity: slotCount)
    for index in 0..<slotCount { (slots + index).initialize(to: Atomic(0)) }
  }

  deinit { slots.deallocate() }

  func swap(_ pointer: UnsafeMutableRawPointer?, at slot: Int) -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(
      bitPattern: slots[slot].exchange(UInt(bitPattern: pointer), ordering: .acquiringAndReleasing))
  }
}

/// What one thread does. A block says at its start what it is, so that whoever finds it can verify it.
private final class Worker<Allocator: AllocatorABI> {
  private let trial: LawTrial<Allocator>
  private let exchange: BlockExchange
  private let operationCount: Int
  private(set) var violation: LawViolation?

  /// At the start of each block.
  private struct Header {
    var size: Int
    var align: Int
    var tag: Int
    var check: Int

    static var byteCount: Int { MemoryLayout<Header>.stride }

    static func check(_ pointer: UnsafeMutableRawPointer, _ size: Int, _ align: Int, _ tag: Int) -> Int {
      var hash = SplitMix64(seed: UInt64(UInt(bitPattern: pointer)) &+ UInt64(size) &* 31 &+ UInt64(align) &* 1009)
      return Int(truncatingIfNeeded: hash.next()) ^ tag
    }
  }

  init(seed: UInt64, stream: Int, limits: LawLimits, exchange: BlockExchange, operationCount: Int) {
    trial = LawTrial(law: .anyThread, seed: seed, limits: limits, stream: stream)
    self.exchange = exchange
    self.operationCount = operationCount
  }

  func run() {
    attempt {
      for _ in 0..<operationCount {
        let slot = trial.random.below(exchange.slotCount)
        guard let found = exchange.swap(nil, at: slot) else {
          try leave(try makeBlock(), at: slot)
          continue
        }
        if trial.random.oneIn(3) {
          try leave(try resize(found), at: slot)
        } else {
          try release(found)
        }
      }
    }
  }

  func releaseAll() {
    attempt {
      for slot in 0..<exchange.slotCount {
        if let found = exchange.swap(nil, at: slot) { try release(found) }
      }
    }
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch let violation as LawViolation { self.violation = violation } catch {
      fatalError("\(error)")
    }
  }

  private func leave(_ pointer: UnsafeMutableRawPointer, at slot: Int) throws {
    if let displaced = exchange.swap(pointer, at: slot) { try release(displaced) }
  }

  private func randomSize() -> Int {
    Header.byteCount + trial.random.size(upTo: trial.random.oneIn(50) ? 60_000 : 2000)
  }

  private func makeBlock() throws -> UnsafeMutableRawPointer {
    let size = randomSize()
    let align = max(8, trial.random.alignment(upTo: 4096))
    if let malloc = trial.malloc, trial.random.oneIn(4) {
      trial.countStep()
      let call = "allocateZeroed(size: \(size), align: \(align))"
      guard let pointer = malloc.allocateZeroed(size, align) else {
        throw trial.violation("\(call) returned nil", of: .servesRequests)
      }
      try trial.expectAligned(pointer, align, call)
      if let byte = BytePattern.firstNonzero(pointer, count: size) {
        throw trial.violation("\(call) returned \(pointer) with byte \(byte) not zero")
      }
      describe(pointer, size: size, align: align)
      return pointer
    }
    let block = try trial.allocate(size: size, align: align)
    try trial.expectAligned(block.pointer, align, "allocate(size: \(size), align: \(align))")
    describe(block.pointer, size: size, align: align)
    return block.pointer
  }

  private func describe(_ pointer: UnsafeMutableRawPointer, size: Int, align: Int) {
    let tag = trial.random.below(1 << 30)
    BytePattern.fill(pointer + Header.byteCount, count: size - Header.byteCount, tag: tag)
    let header = Header(
      size: size, align: align, tag: tag, check: Header.check(pointer, size, align, tag))
    pointer.storeBytes(of: header, as: Header.self)
  }

  /// The block's size and alignment, after a look at its contents.
  private func verified(_ pointer: UnsafeMutableRawPointer) throws -> Header {
    let header = pointer.load(as: Header.self)
    try trial.expect(
      header.check == Header.check(pointer, header.size, header.align, header.tag),
      "the first bytes of the block at \(pointer), filled by another thread, are not as written")
    let count = header.size - Header.byteCount
    if let byte = BytePattern.firstDifference(pointer + Header.byteCount, count: count, tag: header.tag) {
      throw trial.violation(
        "byte \(byte + Header.byteCount) of the block at \(pointer) (size \(header.size), align \(header.align)), "
          + "filled by another thread, is not as written")
    }
    return header
  }

  private func release(_ pointer: UnsafeMutableRawPointer) throws {
    let header = try verified(pointer)
    trial.countStep()
    if let malloc = trial.malloc, trial.random.oneIn(2) {
      malloc.deallocate(pointer)
    } else {
      Allocator.deallocate(pointer, oldSize: header.size, align: header.align)
    }
  }

  private func resize(_ pointer: UnsafeMutableRawPointer) throws -> UnsafeMutableRawPointer {
    let old = try verified(pointer)
    let size = randomSize()
    if trial.random.oneIn(2) {
      trial.countStep()
      let result = Allocator.reallocateInPlace(pointer, oldSize: old.size, size: size, align: old.align)
      let worked =
        size > old.size ? result >= size : result == trial.usableSize(size: size, align: old.align)
      describe(pointer, size: worked ? size : old.size, align: old.align)
      return pointer
    }
    guard let moved = trial.rawReallocate(pointer, oldSize: old.size, size: size, align: old.align) else {
      throw trial.violation("reallocate to size \(size) returned nil", of: .servesRequests)
    }
    let kept = min(old.size, size) - Header.byteCount
    if let byte = BytePattern.firstDifference(moved + Header.byteCount, count: kept, tag: old.tag) {
      throw trial.violation("byte \(byte + Header.byteCount) is lost after reallocate from \(old.size) to \(size)")
    }
    describe(moved, size: size, align: old.align)
    return moved
  }
}
