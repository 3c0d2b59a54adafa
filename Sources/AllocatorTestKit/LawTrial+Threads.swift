// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc
import Synchronization

extension LawTrial {
  /// Threads that pass each other their blocks: each allocates, fills, puts the block into a slot that all share, and
  /// verifies, resizes or releases what it finds there, and now and then gives free memory back. Threads end while others still hold their blocks.
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
///
/// What a block is, is written beside it and not in it: two owners of one block would agree on what is in it.
private final class BlockExchange: Sendable {
  private final class Entry {
    let block: TestBlock
    init(_ block: TestBlock) { self.block = block }
  }

  // Safety: allocated here, initialized before any other thread sees it, released when none does.
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt>>
  let slotCount: Int

  init(slotCount: Int) {
    self.slotCount = slotCount
    slots = .allocate(capacity: slotCount)
    for index in 0..<slotCount { (slots + index).initialize(to: Atomic(0)) }
  }

  deinit {
    for slot in 0..<slotCount { _ = swap(nil, at: slot) }
    slots.deallocate()
  }

  /// Puts a block into a slot, or nothing. Returns what was there, which is the caller's from now on.
  func swap(_ block: TestBlock?, at slot: Int) -> TestBlock? {
    let entry = block.map { UInt(bitPattern: Unmanaged.passRetained(Entry($0)).toOpaque()) } ?? 0
    let found = slots[slot].exchange(entry, ordering: .acquiringAndReleasing)
    // Safety: the exchange gave the entry to this thread alone, with the reference that was retained when it was left.
    return UnsafeRawPointer(bitPattern: found).map { Unmanaged<Entry>.fromOpaque($0).takeRetainedValue().block }
  }
}

/// What one thread does.
private final class Worker<Allocator: AllocatorABI> {
  private let trial: LawTrial<Allocator>
  private let exchange: BlockExchange
  private let operationCount: Int
  private(set) var violation: LawViolation?

  init(seed: UInt64, stream: Int, limits: LawLimits, exchange: BlockExchange, operationCount: Int) {
    trial = LawTrial(law: .anyThread, seed: seed, limits: limits, stream: stream)
    self.exchange = exchange
    self.operationCount = operationCount
  }

  func run() {
    attempt {
      for _ in 0..<operationCount {
        // Or one thread would be done before the next has begun, where there are few cores.
        if trial.random.oneIn(16) { sched_yield() }
        if trial.random.oneIn(1000) { trial.releaseFreeMemory() }
        let slot = trial.random.below(exchange.slotCount)
        guard let found = exchange.swap(nil, at: slot) else {
          try leave(try makeBlock(), at: slot)
          continue
        }
        try trial.expectContents(found, "by the thread that left it to this one")
        if trial.random.oneIn(3) {
          try leave(try resize(found), at: slot)
        } else {
          release(found)
        }
      }
    }
  }

  func releaseAll() {
    attempt {
      for slot in 0..<exchange.slotCount {
        guard let found = exchange.swap(nil, at: slot) else { continue }
        try trial.expectContents(found, "by the thread that left it to this one")
        release(found)
      }
    }
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch let violation as LawViolation { self.violation = violation } catch {
      fatalError("\(error)")
    }
  }

  private func leave(_ block: TestBlock, at slot: Int) throws {
    guard let displaced = exchange.swap(block, at: slot) else { return }
    try trial.expectContents(displaced, "by the thread that left it to this one")
    release(displaced)
  }

  private func randomSize() -> Int { trial.random.size(upTo: trial.random.oneIn(50) ? 60_000 : 2000) }

  private func makeBlock() throws -> TestBlock {
    let size = randomSize()
    let align = trial.random.alignment(upTo: 4096)
    var block: TestBlock
    if let malloc = trial.malloc, trial.random.oneIn(4) {
      block = try trial.allocateZeroed(malloc, size: size, align: align)
    } else {
      block = try trial.allocate(size: size, align: align)
    }
    try trial.expectAligned(block.pointer, align, "allocation of size \(size)")
    trial.fill(&block, count: trial.random.oneIn(2) ? block.usable : size)
    return block
  }

  private func release(_ block: TestBlock) {
    if let malloc = trial.malloc, trial.random.oneIn(2) {
      trial.countStep()
      malloc.deallocate(block.pointer)
    } else {
      trial.deallocate(block)
    }
  }

  private func resize(_ found: TestBlock) throws -> TestBlock {
    var block = found
    let size = randomSize()
    if trial.random.oneIn(2) {
      let result = trial.reallocateInPlace(&block, size: size)
      block.filled = min(block.filled, result)
    } else {
      try trial.reallocate(&block, size: size)
      try trial.expectAligned(block.pointer, block.align, "reallocate of \(found.name) to size \(size)")
    }
    try trial.expectContents(block, "after it was resized, from \(found.name)")
    trial.fill(&block, count: trial.random.oneIn(2) ? block.usable : block.size)
    return block
  }
}
