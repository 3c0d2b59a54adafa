// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What is alive in a process: how many objects of which Swift type, and how many bytes they take.
///
/// ```swift
/// let before = try Census.current()
/// …
/// print(try Census.current().since(before))
/// ```
///
/// Over an allocator that can tell which blocks are live (`BlockWalking`: Nest, in either flavour) it is exact; over any
/// other one it is an estimate from the live samples of a heap profile that is under way (``HeapProfiler``), and of what has been
/// allocated since that began. ``isExact`` says which, and each estimated number has its standard error.
///
/// A type is told by what an object begins with, which every class, actor, array, dictionary, string that is no small one, boxed value,
/// closure context, error and task does. What is no Swift object is counted by the size of its block.
public struct Census: Sendable {
  /// Why there is no census.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// Objects of one type, or blocks of one size.
  public struct Group: Sendable, Equatable {
    /// What is alive. The bytes are those of the blocks, which are a little larger than what was asked for.
    public var live: HeapProfile.Amount
    /// By how much that has changed since the earlier census; nil where there is none to compare with.
    public var change: HeapProfile.Amount?
  }

  /// The groups of Swift objects, by the name of their type: "Server.Session", "Swift._ContiguousArrayStorage<Swift.Int>" for the storage of
  /// an array, "error Server.Failure", "box of Swift.String", "closure context made in Server.login, with Server.Session", "task".
  public internal(set) var types: [String: Group] = [:]
  /// The groups of other blocks, by the most bytes that one of them holds: a size class up to 64 KiB, a power of two above.
  public internal(set) var sizes: [Int: Group] = [:]
  /// Whether these are all live blocks; else each number is estimated.
  public internal(set) var isExact = true
  /// The name of the allocator that answers `malloc`.
  public internal(set) var allocator = ""
  /// Seconds that it took to look.
  public internal(set) var seconds = 0.0
  /// What a reader has to know.
  public internal(set) var notes: [String] = []
  /// Of an estimate: samples that were alive, bytes between samples, and when the profile was started that they are of.
  var samples = 0
  var interval = 0
  var profileStart = 0.0
  /// When it was taken, in seconds of a clock that never goes back; and the seconds since the earlier one.
  var time = 0.0
  var secondsSince: Double?

  init() {}

  /// Of an estimate: the seconds for which the profile had run.
  var profiledSeconds: Double { time - profileStart }

  /// Whether both have looked at the same: all blocks, or the samples of one profile.
  func isComparable(with other: Census) -> Bool { isExact == other.isExact && profileStart == other.profileStart }

  /// All that is alive, of every type or none.
  public var total: HeapProfile.Amount { sum(\.live) }

  /// By how much that has changed; nil where there is no earlier census.
  public var totalChange: HeapProfile.Amount? {
    guard secondsSince != nil else { return nil }
    return sum { $0.change ?? HeapProfile.Amount() }
  }

  private func sum(_ amount: (Group) -> HeapProfile.Amount) -> HeapProfile.Amount {
    var sum = HeapProfile.Amount()
    for group in types.values { sum += amount(group) }
    for group in sizes.values { sum += amount(group) }
    return sum
  }

  /// The same census, with what has changed since an earlier one. What is gone since then has a group without anything alive.
  public func since(_ earlier: Census) -> Census {
    var census = self
    census.types = Self.changes(from: earlier.types, to: types)
    census.sizes = Self.changes(from: earlier.sizes, to: sizes)
    census.secondsSince = time - earlier.time
    if !isComparable(with: earlier) {
      census.notes.append(
        "the earlier census is of other blocks, those of another heap profile: the change is none of the program")
    }
    return census
  }

  private static func changes<Key>(from earlier: [Key: Group], to now: [Key: Group]) -> [Key: Group] {
    var groups = now.merging(earlier.mapValues { _ in Group() }) { now, _ in now }
    for key in groups.keys {
      var change = groups[key]!.live
      if let before = earlier[key] { change.add(before.live, sign: -1) }
      // Sums of the same numbers in another order.
      if abs(change.objects.value) < 1e-6 { change = HeapProfile.Amount() }
      groups[key]!.change = change
    }
    return groups
  }
}

extension Census.Group {
  init() { self.init(live: HeapProfile.Amount(), change: nil) }

  /// What it weighs in an order: the change, where there is one.
  var weight: Double { abs((change ?? live).bytes.value) }
}
