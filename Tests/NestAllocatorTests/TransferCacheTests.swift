// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport
import NestAllocator
import XCTest

/// A heap's transfer cache against an array. The lists are addresses of nothing.
final class TransferCacheTests: XCTestCase {
  private struct List: Equatable {
    var first: UnsafeMutableRawPointer
    var sizeClass: Int
    var count: Int
    var bytes: Int
    var isOld = false
  }

  private let memory = UnsafeMutableRawPointer.allocate(byteCount: TransferCache.byteCount, alignment: 16)
  private var cache: TransferCache { TransferCache(base: memory) }
  private var model: [List] = []
  /// By class, lists that were wanted and did not come.
  private var demand = [Int](repeating: 0, count: 81)
  private var next = 0x10_0000

  override func setUp() { memory.initializeMemory(as: UInt8.self, repeating: 0, count: TransferCache.byteCount) }
  override func tearDown() { memory.deallocate() }

  private func take(_ sizeClass: Int) {
    demand[sizeClass] = min(demand[sizeClass] + 1, 255)
    let expected = model.lastIndex { $0.sizeClass == sizeClass }.map { model.remove(at: $0) }
    let taken = cache.take(sizeClass)
    XCTAssertEqual(taken?.first, expected?.first)
    XCTAssertEqual(taken?.count, expected?.count)
  }

  private func keep(_ sizeClass: Int, _ count: Int) {
    let list = List(
      first: UnsafeMutableRawPointer(bitPattern: next).unsafelyUnwrapped, sizeClass: sizeClass, count: count,
      bytes: count * sizeClass * 16)
    next += 16
    let bytes = model.map(\.bytes).reduce(0, +)
    let isWanted =
      demand[sizeClass] > 0 && list.bytes <= TransferCache.mostBytes / 4
      && bytes + list.bytes <= TransferCache.mostBytes && model.count < 64
    XCTAssertEqual(cache.wants(sizeClass, count: count), isWanted)
    if !isWanted { return }
    cache.keep(list.first, count: count, sizeClass)
    demand[sizeClass] -= 1
    model.append(list)
  }

  private func evict() {
    let old = cache.evict()
    XCTAssertEqual(old == nil, model.isEmpty)
    model.removeAll { $0.first == old }
  }

  private func check() {
    cache.checkInvariants()
    XCTAssertEqual(cache.bytes, model.map(\.bytes).reduce(0, +))
    XCTAssertEqual(cache.isEmpty, model.isEmpty)
    XCTAssertLessThanOrEqual(cache.bytes, TransferCache.mostBytes)
    let lists = cache.lists.map { [Int(bitPattern: $0.first), $0.sizeClass, $0.count] }
    XCTAssertEqual(Set(lists), Set(model.map { [Int(bitPattern: $0.first), $0.sizeClass, $0.count] }))
  }

  func testAgainstAnArray() {
    var random = SplitMix64(seed: .random(in: 0...UInt64.max))
    print("seed \(random)")
    for step in 0..<20_000 {
      // Up to 16, classes are multiples of 16 bytes.
      let sizeClass = Int.random(in: 1...16, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<50: take(sizeClass)
      case 50..<96: keep(sizeClass, Int.random(in: 1...(step % 2000 < 1000 ? 100 : 1024), using: &random))
      case 96: evict()
      default: break
      }
      if step % 50 == 0 { check() }
    }
    check()
    while !model.isEmpty { evict() }
    evict()
    check()
  }

  func testNothingIsKeptThatNobodyWants() {
    XCTAssertFalse(cache.wants(3, count: 10))
    take(3)
    XCTAssertTrue(cache.wants(3, count: 10))
    XCTAssertFalse(cache.wants(4, count: 10))
    XCTAssertFalse(cache.wants(3, count: TransferCache.mostBytes / 48), "more than its share")
    keep(3, 10)
    XCTAssertFalse(cache.wants(3, count: 10), "one was wanted, and one has come")
  }

  private func keepOne(_ sizeClass: Int) {
    take(sizeClass)
    keep(sizeClass, 10)
  }

  func testRebuilding() {
    for sizeClass in [1, 2, 3, 2, 2, 1] { keepOne(sizeClass) }
    cache.rebuild()
    check()
    for sizeClass in [2, 1, 2, 3, 2, 1] { take(sizeClass) }
    check()
  }

  func testTheOldestGoes() {
    for sizeClass in 1...5 { keepOne(sizeClass) }
    for list in model { XCTAssertEqual(cache.evict(), list.first) }
    XCTAssertNil(cache.evict())
  }

  func testWhatWasThereAtTheLastLookGoes() {
    for sizeClass in 1...5 { keepOne(sizeClass) }
    XCTAssertNil(cache.evictOld(), "none has been seen yet")
    for sizeClass in 6...7 { keepOne(sizeClass) }
    for _ in 1...5 { XCTAssertNotNil(cache.evictOld()) }
    XCTAssertNil(cache.evictOld())
    model.removeAll { $0.sizeClass <= 5 }
    check()
    for _ in 6...7 { XCTAssertNotNil(cache.evictOld()) }
    XCTAssertNil(cache.evictOld())
    XCTAssertTrue(cache.isEmpty)
  }
}
