// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

/// The laws of the contract of `AllocatorABI`, to be checked on an allocator.
///
/// In XCTest:
///
///     func testMyAllocator() {
///       XCTAssertEqual(AllocatorLaws<MyAllocator>.violations(), [])
///     }
///
/// In a plain executable, and for an allocator that has taken over the process's malloc (give it a process of its own):
///
///     exit(AllocatorLaws<GlobalAllocator>.check() ? 0 : 1)
///
/// Where the type conforms to `MallocABI` or `MemoryReleasing` too, the laws of that are checked as well. A type that breaks a law may crash
/// the process before the check can say so: every call is legal, and what comes back is looked at before it is written
/// to, but an allocator may overwrite its own books.
public enum AllocatorLaws<Allocator: AllocatorABI> {
  /// Checks the laws in the order of ``AllocatorLaw``, and returns the first violation of each that is broken.
  ///
  /// - Parameters:
  ///   - seed: chooses sizes, orders and contents; the default is another one each time, or what the environment
  ///     variable `ALLOCATOR_TEST_SEED` says.
  ///   - laws: those to check; all by default. Their prerequisites are not added.
  ///   - limits: how far to go.
  /// - Returns: nothing where all hold. Blocks of a law that was broken are not released.
  public static func violations(
    seed: UInt64 = LawSeed.current,
    laws: Set<AllocatorLaw> = Set(AllocatorLaw.allCases),
    limits: LawLimits = LawLimits()
  ) -> [LawViolation] {
    var violations: [LawViolation] = []
    // Broken, or resting on one that is.
    var unproven: Set<AllocatorLaw> = []
    let hasMallocABI = Allocator.self is any MallocABI.Type
    let isMemoryReleasing = Allocator.self is any MemoryReleasing.Type
    for (stream, law) in AllocatorLaw.allCases.enumerated() where laws.contains(law) {
      if law.isOfMallocABI && !hasMallocABI || law.isOfMemoryReleasing && !isMemoryReleasing { continue }
      guard law.prerequisites.isDisjoint(with: unproven) else {
        unproven.insert(law)
        continue
      }
      do {
        try LawTrial<Allocator>(law: law, seed: seed, limits: limits, stream: stream).run()
      } catch {
        if !unproven.contains(error.law) { violations.append(error) }
        unproven.formUnion([law, error.law])
      }
    }
    return violations
  }

  /// Checks the laws as ``violations(seed:laws:limits:)`` does, and throws the first that is broken.
  public static func verify(
    seed: UInt64 = LawSeed.current,
    laws: Set<AllocatorLaw> = Set(AllocatorLaw.allCases),
    limits: LawLimits = LawLimits()
  ) throws(LawViolation) {
    if let first = violations(seed: seed, laws: laws, limits: limits).first { throw first }
  }

  /// Checks the laws as ``violations(seed:laws:limits:)`` does, and prints what is broken to standard error, a line
  /// each.
  ///
  /// - Returns: whether all hold.
  public static func check(
    seed: UInt64 = LawSeed.current,
    laws: Set<AllocatorLaw> = Set(AllocatorLaw.allCases),
    limits: LawLimits = LawLimits()
  ) -> Bool {
    let violations = violations(seed: seed, laws: laws, limits: limits)
    for violation in violations {
      let line = Array("\(violation)\n".utf8)
      write(2, line, line.count)
    }
    return violations.isEmpty
  }
}

extension LawTrial {
  /// Makes the trial.
  func run() throws(LawViolation) {
    do {
      switch law {
      case .servesRequests: try checkServesRequests()
      case .alignment: try checkAlignment()
      case .sizeZero: try checkSizeZero()
      case .blocksDisjoint: try checkBlocksDisjoint()
      case .usableSizeCovers: try checkUsableSizeCovers()
      case .usableSizeHolds: try checkUsableSizeHolds()
      case .badInput: try checkBadInput()
      case .exhaustion: try checkExhaustion()
      case .reallocateKeepsContents: try checkReallocateKeepsContents()
      case .reallocateKeepsAlignment: try checkReallocateKeepsAlignment()
      case .failedReallocation: try checkFailedReallocation()
      case .inPlaceNeverMoves: try checkInPlaceNeverMoves()
      case .inPlaceTellsTruth: try checkInPlaceTellsTruth()
      case .oldSizeRange: try checkOldSizeRange()
      case .deallocateByPointer: try checkDeallocateByPointer()
      case .usableSizeByPointer: try checkUsableSizeByPointer()
      case .allocateZeroed: try checkAllocateZeroed()
      case .reallocateByPointer: try checkReallocateByPointer()
      case .releaseKeepsBlocks: try checkReleaseKeepsBlocks()
      case .anySequence: try checkAnySequence()
      case .anyThread: try checkAnyThread()
      }
    } catch let violation as LawViolation {
      throw violation
    } catch {
      fatalError("a trial throws nothing else: \(error)")
    }
  }
}
