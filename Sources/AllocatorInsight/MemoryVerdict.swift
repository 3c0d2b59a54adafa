// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What a process's memory is doing, in a word and in a sentence.
public struct MemoryVerdict: Equatable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Live bytes rise: somebody allocates and does not release.
    case growing
    /// Most of what the allocator holds is not live: it keeps what was released.
    case retained
    /// What rises, or most of what is there, was not allocated: mapped files and memory, stacks of threads.
    case outside
    /// None of these.
    case steady
    /// Nine tenths of the control group's limit are used.
    case nearLimit
    /// It was looked at once, from outside: that does not tell.
    case unknown
  }

  public var kind: Kind
  /// The verdict and its reason, as a sentence for a log.
  public var sentence: String
  /// For how many seconds it has been so, as far as is known; nil where nothing was seen to change.
  public var since: Double?
  /// Bytes by which it rises in a minute; 0 where it does not.
  public var growthPerMinute: Double

  init(_ kind: Kind, _ sentence: String, since: Double? = nil, growthPerMinute: Double = 0) {
    self.kind = kind
    self.sentence = sentence
    self.since = since
    self.growthPerMinute = growthPerMinute
  }
}

/// Comes to the verdict.
struct MemoryJudge {
  var process: ProcessMemory
  var allocator: ProcessAllocator?
  var cgroup: CgroupMemory?
  /// The last sample is that of now.
  var samples: [MemorySample]

  /// Bytes below which nothing is worth a word.
  private static let notable = 16 << 20
  /// Bytes that a process has outside of its allocator anyway: stacks, variables of programs and libraries.
  private static let usualOutside = 32 << 20

  var verdict: MemoryVerdict {
    let cause = self.cause
    guard let share = cgroup?.usedShare, share >= 0.9, let limit = cgroup?.limitBytes else { return cause }
    return MemoryVerdict(
      .nearLimit,
      "near the limit: \(Int(share * 100)) % of the control group's \(ByteCount(limit)) are used; \(cause.sentence)",
      since: cause.since, growthPerMinute: cause.growthPerMinute)
  }

  private var cause: MemoryVerdict {
    guard let now = samples.last else {
      let own = process.ownBytes.map { ", \(ByteCount($0)) of them its own" } ?? ""
      return MemoryVerdict(
        .unknown,
        "unknown: \(process.name) has \(ByteCount(process.residentBytes ?? 0)) in memory\(own); one look does not tell what "
          + "they are doing")
    }
    let live = rise { $0.live }
    let outside = rise { $0.outside }
    if let live, live.perMinute >= (outside?.perMinute ?? 0) {
      return MemoryVerdict(
        .growing,
        "growing: live memory has risen by \(ByteCount(live.rise)) in \(TimeSpan(now.time - live.since)), "
          + "\(ByteCount(Int(live.perMinute))) a minute, to \(ByteCount(now.live)): something allocates and does not release",
        since: now.time - live.since, growthPerMinute: live.perMinute)
    }
    if let outside {
      return MemoryVerdict(
        .outside,
        "outside the allocator: memory that was not allocated has risen by \(ByteCount(outside.rise)) in "
          + "\(TimeSpan(now.time - outside.since)), \(ByteCount(Int(outside.perMinute))) a minute, to "
          + "\(ByteCount(now.outside)): mappings or threads' stacks; live memory is \(ByteCount(now.live))",
        since: now.time - outside.since, growthPerMinute: outside.perMinute)
    }
    if now.live >= 0, let kept = verdictOnKept(now) { return kept }
    if now.heap >= 0, now.outside > max(Self.usualOutside, now.own / 2) {
      return MemoryVerdict(
        .outside,
        "outside the allocator: \(ByteCount(now.outside)) of \(ByteCount(now.own)) were not allocated, but mapped; "
          + "they do not grow")
    }
    if now.live < 0, let own = rise({ $0.own }) {
      return MemoryVerdict(
        .growing,
        "growing: the process has grown by \(ByteCount(own.rise)) in \(TimeSpan(now.time - own.since)); "
          + "the allocator does not tell whether that is live",
        since: now.time - own.since, growthPerMinute: own.perMinute)
    }
    let watched = now.time - (samples.first?.time ?? now.time)
    let what = now.live >= 0 ? "live memory is \(ByteCount(now.live))" : "the process has \(ByteCount(now.own))"
    let how = watched < 12 ? "seen for \(TimeSpan(watched)) only" : "no rise in \(TimeSpan(watched))"
    return MemoryVerdict(.steady, "steady: \(what) of \(ByteCount(now.own)) in use, \(how)", since: watched)
  }

  private func verdictOnKept(_ now: MemorySample) -> MemoryVerdict? {
    let kept = now.heap - now.live
    guard now.heap >= 0, kept > max(Self.notable, now.heap / 3) else { return nil }
    // Since when at least half as much is kept.
    var since = now.time
    for sample in samples.reversed() {
      guard sample.live >= 0, sample.heap - sample.live >= kept / 2 else { break }
      since = sample.time
    }
    let name = allocator?.name ?? "the allocator"
    var sentence =
      "retained: \(ByteCount(now.live)) are live, and \(name) holds \(ByteCount(now.heap))"
    if now.time - since >= 2 { sentence += ", for \(TimeSpan(now.time - since)) at least" }
    if now.releasable >= 0 {
      sentence += "; a trim would give back \(ByteCount(now.releasable))"
      let stays = kept - now.releasable
      if stays > Self.notable / 4 { sentence += ", \(ByteCount(stays)) are free among live blocks" }
    }
    return MemoryVerdict(.retained, sentence, since: now.time - since)
  }

  /// The rise of a number, where it is known.
  private func rise(_ value: (MemorySample) -> Int) -> Trend? {
    var points: [Trend.Point] = []
    for sample in samples {
      let bytes = value(sample)
      // What was not known at one time tells nothing about the others.
      if bytes >= 0 { points.append(Trend.Point(time: sample.time, value: Double(bytes))) }
    }
    return Trend.rise(of: points, error: Double(256 << 10))
  }
}
