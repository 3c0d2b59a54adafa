// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A law of the contract that `AllocatorABI`, `MallocABI` and `MemoryReleasing` state, as ``AllocatorLaws`` checks it.
///
/// The raw value is the name that a ``LawViolation`` prints. The cases stand in the order in which they are checked. A
/// law that rests on another (see ``prerequisites``) is not judged where that one is broken, so that a fault is
/// reported under its own name and not under the names of all that follows from it.
public enum AllocatorLaw: String, CaseIterable, Sendable {
  /// Input that is not bad is served while there is memory.
  case servesRequests
  /// A block is aligned as asked, for all powers of two up to 1 GiB at least.
  case alignment
  /// A size of 0 gives a pointer that is unique among live blocks and can be deallocated and resized.
  case sizeZero
  /// Live blocks do not overlap, and change only where they are written to.
  case blocksDisjoint
  /// The usable size is a pure function of its arguments, and never less than the size.
  case usableSizeCovers
  /// All of the usable size can be written.
  case usableSizeHolds
  /// An alignment that is no power of two, or a negative size, gives nil, changes nothing and prints nothing.
  case badInput
  /// A size that no memory can hold gives nil, also where the sum of size and alignment overflows.
  case exhaustion
  /// `reallocate` keeps the first `min(oldSize, size)` bytes.
  case reallocateKeepsContents
  /// `reallocate` keeps the alignment.
  case reallocateKeepsAlignment
  /// `reallocate` that returns nil leaves the old block as it was.
  case failedReallocation
  /// `reallocateInPlace` leaves the block where it is, with its contents.
  case inPlaceNeverMoves
  /// `reallocateInPlace` returns the usable size that the block now has.
  case inPlaceTellsTruth
  /// Any size between the one asked for and the usable one is valid as `oldSize`.
  case oldSizeRange

  /// `MallocABI`: a block may be released by its pointer alone, whichever function it came from.
  case deallocateByPointer
  /// `MallocABI`: the usable size of a block can all be written, and is valid as its `oldSize`.
  case usableSizeByPointer
  /// `MallocABI`: zeroed allocation gives zeros, aligned as asked, from fresh and from recycled memory.
  case allocateZeroed
  /// `MallocABI`: `reallocate(_:size:)` keeps the contents, aligns to 16 bytes, and leaves the old block where it
  /// fails.
  case reallocateByPointer

  /// `MemoryReleasing`: `releaseFreeMemory` touches no live block, and later requests are served as before.
  case releaseKeepsBlocks

  /// All of the above hold in any order of calls. Checked with random operations against a model.
  case anySequence
  /// All of the above hold for many threads at once, and a block may be released by another thread than its own.
  case anyThread

  /// Whether the law is one of `MallocABI`, and is checked only on types that conform to it.
  public var isOfMallocABI: Bool {
    switch self {
    case .deallocateByPointer, .usableSizeByPointer, .allocateZeroed, .reallocateByPointer: true
    default: false
    }
  }

  /// Whether the law is one of `MemoryReleasing`, and is checked only on types that conform to it.
  public var isOfMemoryReleasing: Bool { self == .releaseKeepsBlocks }

  /// The laws that have to hold for this one to be judged, and whose own prerequisites have to. Each stands before it
  /// in the order of the cases.
  public var prerequisites: Set<AllocatorLaw> {
    switch self {
    case .servesRequests, .usableSizeCovers: []
    case .alignment, .sizeZero, .blocksDisjoint, .exhaustion: [.servesRequests]
    case .badInput: [.servesRequests, .usableSizeCovers]
    case .usableSizeHolds: [.servesRequests, .blocksDisjoint, .usableSizeCovers]
    case .reallocateKeepsContents: [.servesRequests, .blocksDisjoint]
    case .reallocateKeepsAlignment: [.servesRequests, .alignment]
    case .failedReallocation: [.servesRequests, .blocksDisjoint, .exhaustion]
    case .inPlaceNeverMoves: [.servesRequests, .blocksDisjoint]
    case .inPlaceTellsTruth: [.servesRequests, .blocksDisjoint, .usableSizeHolds, .inPlaceNeverMoves]
    case .oldSizeRange:
      [.servesRequests, .blocksDisjoint, .usableSizeHolds, .reallocateKeepsContents, .inPlaceTellsTruth]
    case .deallocateByPointer: Set(Self.allCases.prefix { !$0.isOfMallocABI })
    case .usableSizeByPointer, .allocateZeroed: [.deallocateByPointer]
    case .reallocateByPointer: [.usableSizeByPointer]
    case .releaseKeepsBlocks: [.servesRequests, .blocksDisjoint]
    case .anySequence: Set(Self.allCases).subtracting([.anySequence, .anyThread])
    case .anyThread: Set(Self.allCases).subtracting([.anyThread])
    }
  }
}
