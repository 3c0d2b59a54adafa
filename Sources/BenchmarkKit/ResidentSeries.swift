// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Points of a run's memory over time, never more than a few hundred: with the run, the time between them grows.
struct ResidentSeries {
  /// The most points that are kept.
  static let limit = 256

  private(set) var points: [ResidentPoint] = []

  /// Milliseconds until the next look.
  private(set) var intervalMilliseconds: Int32 = 10

  /// Adds a point. When there are too many, every second one goes, and looks become half as frequent.
  mutating func add(_ point: ResidentPoint) {
    points.append(point)
    guard points.count >= Self.limit else { return }
    points = stride(from: 0, to: points.count, by: 2).map { index in
      // Of two neighbours the higher one stays, so that a peak is not lost.
      let pair = points[index..<min(index + 2, points.count)]
      return pair.max { $0.bytes < $1.bytes }!
    }
    intervalMilliseconds = min(intervalMilliseconds * 2, 60_000)
  }
}
