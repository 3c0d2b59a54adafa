// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// A thread's quarantine: blocks that have been released and are not to be used again yet.
//
// A released block takes the place of one that is drawn at random, and that one may be used again. So nobody can tell which block comes
// back when, and a use after free most likely meets a block that nobody has: which is signed as any free block is, and found so
// when it leaves. All of its memory is a page; only its thread touches it, and gives it up when it ends.
//
//     256 places of blocks up to 128 bytes, 64 up to 512, 16 up to 2 KiB, 4 up to 8 KiB: 32 KiB of each at most
//
// A place holds the address of a block, and its class in the upper byte; 0 for none. In front of the places is the state of the generator
// of random numbers: a linear congruential one (Knuth's MMIX), of which the upper bits are good.

@usableFromInline
struct Quarantine {
  @usableFromInline let places: UnsafeMutablePointer<UInt>

  @inlinable @inline(__always) @_noLocks
  init(_ base: UnsafeMutableRawPointer) { places = base.assumingMemoryBound(to: UInt.self) + 8 }

  private static var placeCount: Int { @_noLocks get { 256 + 64 + 16 + 4 } }
  @inlinable @inline(__always) static var classShift: UInt { @_noLocks get { 56 } }

  /// The last class of which blocks wait: that of 8 KiB.
  @inlinable @inline(__always) static var lastClass: Int { @_noLocks get { 56 } }

  /// The calling thread's.
  @inlinable @inline(__always) static var current: Quarantine? {
    @_noLocks get { nest_quarantine().map { Quarantine($0) } }
  }

  /// Makes one for the calling thread, which has a cache. Nil when memory is exhausted.
  @_noLocks
  static func make() -> Quarantine? {
    guard let (run, isZeroed) = Pages.allocate(count: 1, align: 1, mayMap: true) else { return nil }
    run.chunk.span(page: run.first).initialize(state: .cache, pageCount: 1)
    if !isZeroed { nest_zero(run.start, Chunk.pageSize) }
    run.start.storeBytes(of: nest_random(), as: UInt64.self)
    ThreadCache.current.state.pointee.quarantine = run.start
    nest_set_quarantine(run.start)
    return Quarantine(run.start)
  }

  /// A random number.
  @inlinable @inline(__always) @_noLocks
  func random() -> UInt {
    let state = places - 8
    let number = state.pointee
    state.pointee = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return number
  }

  /// Takes in a released block of a class, and returns what stood where it is put: a block that may be used again, and its class.
  @inlinable @inline(__always) @_noLocks
  func exchange(_ block: FreeBlock, _ index: Int) -> (block: FreeBlock, index: Int)? {
    let facts = nest_facts(index)
    let place = places + Int(facts.first_place) + Int(bitPattern: random() &>> UInt(facts.shift))
    let old = place.pointee
    block.link(to: FreeBlock.none)
    place.pointee = block.address | UInt(bitPattern: index) &<< Quarantine.classShift
    return Quarantine.taken(old)
  }

  @inlinable @inline(__always) @_noLocks
  static func taken(_ value: UInt) -> (block: FreeBlock, index: Int)? {
    guard let pointer = UnsafeMutableRawPointer(bitPattern: value & (1 &<< classShift &- 1)) else { return nil }
    let block = FreeBlock(pointer)
    block.checkSignature()
    return (block, Int(bitPattern: value &>> classShift))
  }

  /// The class of the block at a place; 0 where there is none. For statistics, also of another thread's.
  @_noLocks
  func subtractBlocks(_ subtract: (Int) -> Void) {
    var place = 0
    while place < Quarantine.placeCount {
      let index = Int(bitPattern: places[place] &>> Quarantine.classShift)
      if index > 0, index <= Quarantine.lastClass { subtract(index) }
      place += 1
    }
  }

  /// Gives all blocks in it up.
  @_noLocks
  func releaseAll() {
    var place = 0
    while place < Quarantine.placeCount {
      let value = places[place]
      places[place] = 0
      if let (block, index) = Quarantine.taken(value) { NestSlowPath.release(block, index) }
      place += 1
    }
  }

  /// Gives up the calling thread's, if it has one.
  @_noLocks
  static func destroyCurrent() {
    guard let current else { return }
    current.releaseAll()
    nest_set_quarantine(nil)
    // Who counts blocks may be reading it.
    let lock = ThreadCaches.shared.lock
    lock.lock()
    ThreadCache.current.state.pointee.quarantine = nil
    lock.unlock()
    Span(containing: UInt(bitPattern: current.places)).releasePages()
  }

  /// Dies where a block in it has been written to.
  @_noLocks
  func check() {
    var place = 0
    while place < Quarantine.placeCount {
      if let (block, index) = Quarantine.taken(places[place]) { ExitCheck.check(block: block, index) }
      place += 1
    }
  }
}
