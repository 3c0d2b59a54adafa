// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorTestKit
import TestEffort
import XCTest

/// For each law an allocator that breaks it, and no other; of the others, by default those that it rests on.
final class BrokenLawsTests: XCTestCase {
  private func assert<Allocator: AllocatorABI>(
    _: Allocator.Type, breaks law: AllocatorLaw, afterAll: Bool = false, file: StaticString = #filePath,
    line: UInt = #line
  ) {
    // That no other is broken takes most of the time.
    let before = afterAll ? Array(AllocatorLaw.allCases.prefix { $0 != law }) : Array(law.prerequisites)
    let laws = TestEffort.choice(AllocatorLaw.allCases, quick: before + [law])
    let violations = AllocatorLaws<Allocator>.violations(
      seed: 0xB0B, laws: Set(laws), limits: LawLimits(largestSize: 1 << 20))
    XCTAssertEqual(violations.map(\.law), [law], "\(violations)", file: file, line: line)
    for violation in violations {
      XCTAssertTrue(
        violation.description.hasPrefix("\(Allocator.self) breaks \(law.rawValue): "), file: file, line: line)
      XCTAssertTrue(violation.description.hasSuffix(", ALLOCATOR_TEST_SEED=0xb0b)"), file: file, line: line)
    }
  }

  func testServesRequests() { assert(RefusesSomeSizes.self, breaks: .servesRequests) }

  func testAlignment() {
    assert(AlignsToPagesAtMost.self, breaks: .alignment)
    assert(RefusesTheLargestAlignment.self, breaks: .alignment)
  }

  func testSizeZero() { assert(SharesZeroSizedBlocks.self, breaks: .sizeZero) }

  func testBlocksDisjoint() { assert(GivesBlocksTwice.self, breaks: .blocksDisjoint) }

  func testUsableSizeCovers() {
    assert(UnderstatesUsableSize.self, breaks: .usableSizeCovers)
    assert(ChangesItsMindAboutUsableSize.self, breaks: .usableSizeCovers)
  }

  func testUsableSizeHolds() { assert(OverstatesUsableSize.self, breaks: .usableSizeHolds) }

  func testBadInput() {
    assert(RoundsAlignmentsUp.self, breaks: .badInput)
    assert(ComplainsAboutBadInput.self, breaks: .badInput)
    assert(ReleasesOnBadInput.self, breaks: .badInput)
  }

  func testExhaustion() { assert(OverflowsNearTheLargestSize.self, breaks: .exhaustion) }

  func testReallocateKeepsContents() { assert(LosesTheTailOfLargeBlocks.self, breaks: .reallocateKeepsContents) }

  func testReallocateKeepsAlignment() { assert(ForgetsTheAlignment.self, breaks: .reallocateKeepsAlignment) }

  func testFailedReallocation() {
    assert(ReleasesBeforeItReallocates.self, breaks: .failedReallocation)
    assert(ReallocatesToAnySize.self, breaks: .failedReallocation)
  }

  func testInPlaceNeverMoves() {
    assert(MovesInPlace.self, breaks: .inPlaceNeverMoves)
    assert(ClearsWhatItDoesNotShrink.self, breaks: .inPlaceNeverMoves)
  }

  func testInPlaceTellsTruth() {
    assert(ReturnsZeroWhereItCannotGrow.self, breaks: .inPlaceTellsTruth)
    assert(GrowsIntoFreeBlocks.self, breaks: .inPlaceTellsTruth)
  }

  func testOldSizeRange() {
    assert(KeepsOnlyWhatWasAskedFor.self, breaks: .oldSizeRange)
    // What has been filed by then is of the laws before, of all of them.
    assert(FilesBlocksByOldSize.self, breaks: .oldSizeRange, afterAll: true)
  }

  func testDeallocateByPointer() { assert(ReleasesTwiceByPointer.self, breaks: .deallocateByPointer) }

  func testUsableSizeByPointer() {
    assert(UnderstatesUsableSizeByPointer.self, breaks: .usableSizeByPointer)
    assert(OverstatesUsableSizeByPointer.self, breaks: .usableSizeByPointer)
  }

  func testAllocateZeroed() {
    assert(ZeroesTwoKibibytes.self, breaks: .allocateZeroed)
    assert(ZeroesUnaligned.self, breaks: .allocateZeroed)
  }

  func testReallocateByPointer() {
    assert(KeepsOnlyWhatWasAskedForByPointer.self, breaks: .reallocateByPointer)
    assert(ReleasesWhereItCannotReallocateByPointer.self, breaks: .reallocateByPointer)
  }

  func testReleaseKeepsBlocks() { assert(ReleasesALiveBlock.self, breaks: .releaseKeepsBlocks) }

  func testAnySequence() {
    RunsOutOfTable.reset()
    assert(RunsOutOfTable.self, breaks: .anySequence)
  }

  func testAnyThread() { assert(ReleasesTwiceFromOtherThreads.self, breaks: .anyThread) }
}
