// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What a ``HeapProfiler`` has seen: from which stacks memory was allocated, and how much of it is alive.
///
/// All amounts are estimates from samples, without bias, and each has its standard error.
public struct HeapProfile: Sendable, CustomStringConvertible {
  /// An estimated number.
  public struct Estimate: Sendable, Equatable {
    public var value: Double
    /// The square of the standard error.
    public var variance: Double

    public init(_ value: Double = 0, variance: Double = 0) {
      self.value = value
      self.variance = variance
    }

    /// The true number is within one standard error two times out of three, and within two nineteen times out of twenty,
    /// as long as there are some dozens of samples.
    public var standardError: Double { max(variance, 0).squareRoot() }
  }

  /// How many blocks, and bytes as they were asked for.
  public struct Amount: Sendable, Equatable {
    public var objects = Estimate()
    public var bytes = Estimate()

    public init() {}
  }

  /// A function on a stack.
  public struct Frame: Sendable, Hashable {
    /// The address in the process at which the function goes on when the call returns; 0 where that is not known.
    public var address: UInt
    /// Its name, demangled; an image and an offset in it where there is no symbol.
    public var function: String
    /// The path of its image.
    public var image: String
    /// Whether it is an async function that waits for the one before.
    public var isWaiting = false
    /// File and line, where somebody has looked them up: the command does.
    package var line: String?
  }

  /// Everything that was allocated from one stack.
  public struct Site: Sendable {
    /// Innermost first.
    public var frames: [Frame] = []
    /// What was allocated while the profile ran.
    public var allocated = Amount()
    /// What of that is alive.
    public var live = Amount()
    /// The same, by the Swift type of the objects, largest first; blocks that are no Swift object are in none.
    public var types: [TypeShare] = []
  }

  /// Live objects of one Swift type.
  public struct TypeShare: Sendable {
    /// Qualified with the module: `Server.Session`.
    public var name: String
    public var live: Amount
  }

  /// A file that was mapped.
  package struct Image: Sendable, Hashable {
    package var path = ""
    package var low: UInt = 0
    package var high: UInt = 0
    var base: UInt = 0
    package var buildID = ""
    var isProgram = false
  }

  /// Largest live memory first.
  public internal(set) var sites: [Site] = []
  /// Bytes between samples.
  public internal(set) var interval = HeapProfiler.defaultInterval
  /// How long the profile has run.
  public internal(set) var seconds = 0.0
  /// Samples taken.
  public internal(set) var samples = 0
  /// Live blocks that were sampled, and for which there was no room.
  public internal(set) var lostSamples = 0
  /// The name of the allocator that answers `malloc`.
  public internal(set) var allocator = ""
  /// By how many bytes the allocator's own count of live bytes has grown meanwhile; nil where it has none.
  public internal(set) var growth: Int?
  /// What a reader has to know: what could not be seen.
  public package(set) var notes: [String] = []
  /// Seconds since 1970 at the start.
  var startDate = 0.0
  package var images: [Image] = []

  /// Has `body` look up the lines of the frames of the sites with most live memory, all of them at once.
  package mutating func addLines(ofSites count: Int, _ body: ([Frame]) -> [String?]) {
    for index in sites.indices.prefix(count) {
      let lines = body(sites[index].frames)
      for (place, line) in zip(sites[index].frames.indices, lines) { sites[index].frames[place].line = line }
    }
  }

  /// All that was allocated.
  public var allocated: Amount { sites.reduce(into: Amount()) { $0 += $1.allocated } }
  /// All of that which is alive.
  public var live: Amount { sites.reduce(into: Amount()) { $0 += $1.live } }

  /// What has come between an earlier snapshot and this one: negative where there is less now.
  ///
  /// The errors of both are added up, as if they had no sample in common. That is too much for what is the same in both.
  public func since(_ earlier: HeapProfile) -> HeapProfile {
    var difference = self
    difference.sites = []
    var places: [[Frame]: Int] = [:]
    func add(_ site: Site, sign: Double) {
      let key = site.frames.map(\.withoutAddress)
      let index = places[key] ?? difference.sites.count
      if index == difference.sites.count {
        places[key] = index
        difference.sites.append(Site(frames: site.frames))
      }
      difference.sites[index].add(site, sign: sign)
    }
    for site in sites { add(site, sign: 1) }
    for site in earlier.sites { add(site, sign: -1) }
    // What is the same in both, but for rounding.
    difference.sites.removeAll { site in
      [site.allocated, site.live].allSatisfy { abs($0.objects.value) < 1e-6 && abs($0.bytes.value) < 1e-3 }
    }
    // Two snapshots of one profile, or two profiles?
    difference.seconds = abs(startDate - earlier.startDate) < 1e-3 ? seconds - earlier.seconds : 0
    difference.samples = samples - earlier.samples
    difference.lostSamples = lostSamples - earlier.lostSamples
    difference.growth = growth.flatMap { now in earlier.growth.map { now - $0 } }
    difference.isDifference = true
    difference.sort()
    return difference
  }

  /// Whether this is a difference of two.
  var isDifference = false

  mutating func sort() {
    sites.sort {
      ($0.live.bytes.value, $0.allocated.bytes.value) > ($1.live.bytes.value, $1.allocated.bytes.value)
    }
  }
}

extension HeapProfile.Frame {
  /// The same function in another run of the program has another address.
  var withoutAddress: Self {
    var frame = self
    frame.address = 0
    frame.line = nil
    return frame
  }

  /// The last part of the image's path.
  var imageName: Substring { image.split(separator: "/").last ?? "" }
}

extension HeapProfile.Amount {
  static func += (left: inout Self, right: Self) {
    left.add(right, sign: 1)
  }

  mutating func add(_ other: Self, sign: Double) {
    objects.add(other.objects, sign: sign)
    bytes.add(other.bytes, sign: sign)
  }
}

extension HeapProfile.Estimate {
  mutating func add(_ other: Self, sign: Double) {
    value += sign * other.value
    variance += other.variance
  }
}

extension HeapProfile.Site {
  mutating func add(_ other: Self, sign: Double) {
    allocated.add(other.allocated, sign: sign)
    live.add(other.live, sign: sign)
    for type in other.types {
      let index = types.firstIndex { $0.name == type.name } ?? types.count
      if index == types.count { types.append(HeapProfile.TypeShare(name: type.name, live: HeapProfile.Amount())) }
      types[index].live.add(type.live, sign: sign)
    }
    types.sort { $0.live.bytes.value > $1.live.bytes.value }
  }
}
