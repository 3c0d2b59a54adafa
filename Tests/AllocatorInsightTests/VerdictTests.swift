// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

@testable import AllocatorInsight

/// Verdicts on made-up histories: what is leaked, kept, mapped, and what only looks like it.
final class VerdictTests: XCTestCase {
  private static let mebibyte = 1 << 20

  /// A history of a sample each `interval` seconds, of what a function of time says, in MiB.
  private func verdict(
    seconds: Double, interval: Double = 1, limit: (limit: Int, current: Int)? = nil,
    _ state: (Double) -> (live: Double, heap: Double, own: Double, releasable: Double)
  ) -> MemoryVerdict {
    var history = MemoryHistory()
    var time = 0.0
    while time <= seconds {
      let (live, heap, own, releasable) = state(time)
      history.add(
        MemorySample(
          time: time, live: Int(live * 1_048_576), own: Int(own * 1_048_576), heap: Int(heap * 1_048_576),
          releasable: Int(releasable * 1_048_576)))
      time += interval
    }
    var cgroup: CgroupMemory?
    if let limit {
      cgroup = CgroupMemory(version: 2, folder: "/")
      cgroup?.limitBytes = limit.limit
      cgroup?.currentBytes = limit.current
    }
    return MemoryJudge(
      process: ProcessMemory(processID: 1),
      allocator: ProcessAllocator(name: "nest", image: "", statistics: .init()), cgroup: cgroup,
      samples: history.samples
    ).verdict
  }

  /// Numbers from -1 to 1 that look random.
  private func noise(_ time: Double, _ seed: Double) -> Double {
    let x = sin(time * 12.9898 + seed * 78.233) * 43_758.5453
    return (x - x.rounded(.down)) * 2 - 1
  }

  func testSlowLeakAmongNoise() {
    for seed in 0..<50 {
      let found = verdict(seconds: 60) { time in
        let live = 100 + time * 0.2 + noise(time, Double(seed)) * 2
        return (live, live + 20, live + 40, 5)
      }
      XCTAssertEqual(found.kind, .growing, "\(seed): \(found.sentence)")
      XCTAssertEqual(found.growthPerMinute / 1_048_576, 12, accuracy: 4, "\(seed)")
    }
  }

  func testLeakInBursts() {
    let found = verdict(seconds: 300) { time in
      let live = 50 + (time / 20).rounded(.down) * 3
      return (live, live + 10, live + 20, 2)
    }
    XCTAssertEqual(found.kind, .growing, found.sentence)
  }

  func testNoiseIsNoLeak() {
    for seed in 0..<200 {
      let found = verdict(seconds: Double(20 + seed)) { time in
        let live = 100 + noise(time, Double(seed)) * 10
        return (live, 130, 150, 15)
      }
      XCTAssertEqual(found.kind, .steady, "\(seed): \(found.sentence)")
    }
  }

  /// A cache whose entries are replaced one by one: it goes up and down, and takes its time.
  func testWanderingIsNoLeak() {
    for seed in 0..<200 {
      var level = 0.0
      let found = verdict(seconds: 60) { time in
        level += -level / 15 + self.noise(time, Double(seed)) * 0.8
        return (32 + level, 42, 52, 1)
      }
      XCTAssertEqual(found.kind, .steady, "\(seed): \(found.sentence)")
    }
  }

  func testWavesAreNoLeak() {
    for period in [20.0, 45, 90] {
      let found = verdict(seconds: period * 8) { time in
        let live = 100 + sin(time / period * 2 * .pi - 0.5 * .pi) * 20
        return (live, 130, 150, 15)
      }
      XCTAssertNotEqual(found.kind, .growing, "\(period): \(found.sentence)")
    }
  }

  func testWarmingUpIsNoLeak() {
    let found = verdict(seconds: 120) { time in
      let live = min(time, 40) * 2 + noise(time, 1)
      return (live, live + 10, live + 30, 5)
    }
    XCTAssertEqual(found.kind, .steady, found.sentence)
  }

  func testKeptMemory() {
    let found = verdict(seconds: 600) { time in
      time < 100 ? (200, 210, 230, 5) : (10, 200, 220, 120)
    }
    XCTAssertEqual(found.kind, .retained, found.sentence)
    XCTAssertEqual(try XCTUnwrap(found.since), 500, accuracy: 40)
    XCTAssertTrue(found.sentence.contains("120 MiB"), found.sentence)
    XCTAssertTrue(found.sentence.contains("10 MiB"), found.sentence)
  }

  func testMappedMemoryThatGrows() {
    let found = verdict(seconds: 60) { time in (20, 25, 60 + time * 0.5, 2) }
    XCTAssertEqual(found.kind, .outside, found.sentence)
    XCTAssertEqual(found.growthPerMinute / 1_048_576, 30, accuracy: 3)
  }

  func testMappedMemoryThatIsThere() {
    let found = verdict(seconds: 60) { _ in (20, 25, 500, 2) }
    XCTAssertEqual(found.kind, .outside, found.sentence)
    XCTAssertEqual(found.growthPerMinute, 0)
  }

  func testNearTheLimitNamesTheCause() {
    let found = verdict(seconds: 60, limit: (100 << 20, 95 << 20)) { time in (20 + time, 85, 90, 2) }
    XCTAssertEqual(found.kind, .nearLimit)
    XCTAssertTrue(found.sentence.contains("95 %"), found.sentence)
    XCTAssertTrue(found.sentence.contains("growing"), found.sentence)
  }

  func testAnAllocatorThatTellsNothing() {
    var history = MemoryHistory()
    for second in 0..<60 {
      history.add(MemorySample(time: Double(second), live: -1, own: (100 + second) << 20, heap: -1, releasable: -1))
    }
    let found = MemoryJudge(process: ProcessMemory(processID: 1), samples: history.samples).verdict
    XCTAssertEqual(found.kind, .growing)
    XCTAssertTrue(found.sentence.contains("does not tell"), found.sentence)
  }

  func testSinceIsWhenItBegan() throws {
    let found = verdict(seconds: 7_200, interval: 5) { time in
      let live = 100 + max(time - 3_600, 0) * 0.05 + noise(time, 3) * 0.2
      return (live, live + 20, live + 40, 5)
    }
    XCTAssertEqual(found.kind, .growing)
    XCTAssertEqual(try XCTUnwrap(found.since), 3_600, accuracy: 500)
  }
}
