// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import TestEffort
import XCTest

final class AllocatorLawsTests: XCTestCase {
  func testEveryLawRestsOnEarlierOnesOnly() {
    for (index, law) in AllocatorLaw.allCases.enumerated() {
      XCTAssertTrue(law.prerequisites.isSubset(of: AllocatorLaw.allCases[..<index]), law.rawValue)
    }
  }

  func testTheSeedRepeatsTheRun() {
    RunsOutOfTable.reset()
    let first = AllocatorLaws<RunsOutOfTable>.violations(seed: 7, laws: [.anySequence])
    RunsOutOfTable.reset()
    let again = AllocatorLaws<RunsOutOfTable>.violations(seed: 7, laws: [.anySequence])
    RunsOutOfTable.reset()
    let other = AllocatorLaws<RunsOutOfTable>.violations(seed: 8, laws: [.anySequence])
    XCTAssertEqual(first.map(\.step), again.map(\.step))
    XCTAssertNotEqual(first.map(\.step), other.map(\.step))
    XCTAssertEqual([first, again, other].map { $0.map(\.seed) }, [[7], [7], [8]])
  }

  func testTheEnvironmentGivesTheSeed() {
    setenv("ALLOCATOR_TEST_SEED", "0xb0b", 1)
    XCTAssertEqual(LawSeed.current, 0xB0B)
    setenv("ALLOCATOR_TEST_SEED", "18446744073709551615", 1)
    XCTAssertEqual(LawSeed.current, .max)
    unsetenv("ALLOCATOR_TEST_SEED")
    XCTAssertNotEqual(LawSeed.current, LawSeed.current)
  }

  func testOneLawCanBeCheckedAlone() {
    XCTAssertEqual(AllocatorLaws<RefusesTheLargestAlignment>.violations(laws: [.sizeZero, .badInput]), [])
    XCTAssertEqual(
      AllocatorLaws<RefusesTheLargestAlignment>.violations(laws: [.alignment]).map(\.law), [.alignment])
  }

  func testLimitsLowerWhatIsAskedFor() {
    var limits = LawLimits.ofTests
    limits.largestAlignment = 1 << 29
    XCTAssertEqual(AllocatorLaws<RefusesTheLargestAlignment>.violations(limits: limits), [])
  }

  func testVerifyThrowsTheViolation() {
    XCTAssertThrowsError(try AllocatorLaws<RefusesSomeSizes>.verify(seed: 1)) { error in
      XCTAssertEqual((error as? LawViolation)?.law, .servesRequests)
      XCTAssertTrue("\(error)".contains("RefusesSomeSizes breaks servesRequests: allocate(size: 3000"), "\(error)")
    }
    XCTAssertNoThrow(try AllocatorLaws<HonestAllocator>.verify(laws: [.servesRequests]))
  }

  func testCheckSaysWhetherAllHold() {
    XCTAssertTrue(AllocatorLaws<HonestAllocator>.check(laws: [.servesRequests]))
    XCTAssertFalse(AllocatorLaws<RefusesSomeSizes>.check(laws: [.servesRequests]))
  }
}
