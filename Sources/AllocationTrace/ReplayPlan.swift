// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A trace as `trace-replayer` takes it: each thread's calls in a row, and of each call whose turn it is at its block.
///
/// A block has a slot, and a slot counts what has been done to it: a call waits for its turn. So a block is released after it has been
/// allocated, whichever threads do that, and threads that share no block wait for nobody. Slots are dealt out so that a thread
/// reuses those that it released itself; otherwise an allocation would wait for another thread's release of some other block.
///
/// Calls that failed are left out. A resize in place is a reallocation: the malloc family has nothing else.
public struct ReplayPlan: Sendable {
  /// The file, in native words; its layout stands in `trace-replayer/main.c`.
  public let bytes: [UInt8]
  /// What is live at each sample.
  public let live: [LiveMemory]
  /// How many calls come before each sample.
  public let callsBefore: [Int]
  public let threads: Int
  public let calls: Int
  /// The sample at which most bytes are live.
  public let peakSample: Int

  private static let magic: UInt64 = 0x314E_414C_5043_4C41

  /// - Parameter samples: how often memory is looked at, at most; spread evenly over the calls, and once where most is live.
  public init(_ trace: AllocationTrace, samples: Int) throws(TraceError) {
    let summary = trace.summary
    let threads = max(summary.threads, 1)
    let total = summary.calls - summary.failures
    guard threads <= 4096 else { throw TraceError("has \(threads) threads; at most 4096 can be replayed") }
    guard total < 1 << 32 else { throw TraceError("has \(total) calls; at most 2^32 can be replayed") }

    var counts = Array(repeating: 0, count: threads)
    var done = 0
    var (peak, peakDone) = (0, 0)
    try trace.forEach { event, live in
      guard !event.isFailure else { return }
      done += 1
      counts[event.thread] += 1
      if live.bytes > peak { (peak, peakDone) = (live.bytes, done) }
    }
    let wanted = min(max(samples, 1), max(total / 100, 1))
    let places = Set((1...wanted).map { total * $0 / wanted } + [peakDone, total]).filter { $0 > 0 || total == 0 }
      .sorted()

    var words: [UInt64] = []
    var starts: [Int] = [0]
    for count in counts { starts.append(starts.last! + count) }
    var operations = [(UInt64, UInt64)](repeating: (0, 0), count: total)
    var next = Array(starts.dropLast())
    var perThread = Array(repeating: 0, count: threads)
    var dealer = SlotDealer(threads: threads)
    var live: [LiveMemory] = []
    var sampled: [UInt64] = []
    var place = 0
    done = 0
    if total == 0 {
      live.append(LiveMemory())
      sampled += perThread.map { UInt64($0) }
    }
    try trace.forEach { event, now in
      guard let kind = event.replayedKind else { return }
      let (slot, turn) = dealer.take(event)
      operations[next[event.thread]] = (
        UInt64(slot) | UInt64(turn) << 32,
        UInt64(event.size) | UInt64(event.alignment) << 48 | kind << 56
      )
      next[event.thread] += 1
      perThread[event.thread] += 1
      done += 1
      if place < places.count && places[place] == done {
        place += 1
        live.append(now)
        sampled += perThread.map { UInt64($0) }
      }
    }
    words = [Self.magic, UInt64(threads), UInt64(dealer.count), UInt64(live.count), UInt64(total)]
    words += starts.map { UInt64($0) }
    words += sampled
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8 + total * 16)
    words.withUnsafeBytes { bytes.append(contentsOf: $0) }
    operations.withUnsafeBytes { bytes.append(contentsOf: $0) }
    self.bytes = bytes
    self.live = live
    callsBefore = places
    self.threads = threads
    calls = total
    peakSample = places.firstIndex(of: peakDone) ?? 0
  }
}

extension TraceEvent {
  fileprivate var isFailure: Bool { replayedKind == nil }

  fileprivate var replayedKind: UInt64? {
    switch kind {
    case .allocate: 1
    case .allocateZeroed: 2
    case .deallocate, .deallocateSized: 3
    case .reallocate, .resizeInPlace: 4
    case .failedAllocation, .failedZeroedAllocation, .failedReallocation: nil
    }
  }
}

/// Deals slots out again, for the replay; see ``ReplayPlan``.
private struct SlotDealer {
  private var free: [[Int]]
  /// Slots that threads have more of than they soon need, the oldest first.
  private var spare: [Int] = []
  private var spareStart = 0
  /// By the trace's slots: the dealt one.
  private var dealt: [Int] = []
  private var turns: [UInt32] = []
  private static let most = 1024

  init(threads: Int) { free = Array(repeating: [], count: threads) }

  var count: Int { turns.count }

  mutating func take(_ event: TraceEvent) -> (slot: Int, turn: UInt32) {
    let slot: Int
    switch event.kind {
    case .allocate, .allocateZeroed:
      slot = free[event.thread].popLast() ?? takeSpare()
      if event.slot >= dealt.count {
        dealt.append(contentsOf: repeatElement(0, count: event.slot + 1 - dealt.count))
      }
      dealt[event.slot] = slot
    case .deallocate, .deallocateSized:
      slot = dealt[event.slot]
      free[event.thread].append(slot)
      if free[event.thread].count > Self.most {
        spare += free[event.thread].prefix(Self.most / 2)
        free[event.thread].removeFirst(Self.most / 2)
      }
    default: slot = dealt[event.slot]
    }
    defer { turns[slot] &+= 1 }
    return (slot, turns[slot])
  }

  private mutating func takeSpare() -> Int {
    if spareStart < spare.count {
      spareStart += 1
      defer {
        if spareStart > 1 << 16 {
          spare.removeFirst(spareStart)
          spareStart = 0
        }
      }
      return spare[spareStart - 1]
    }
    turns.append(0)
    return turns.count - 1
  }
}
