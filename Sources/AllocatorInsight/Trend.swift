// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// How a number has developed, of samples that need not be equally far apart.
struct Trend: Equatable {
  /// Bytes by which it rises in a minute.
  var perMinute: Double
  /// When it began to rise, in the samples' time.
  var since: Double
  /// Bytes that it has risen by since.
  var rise: Int

  struct Point {
    var time: Double
    var value: Double
  }

  /// The rise of the last while, if there is one that is no accident.
  ///
  /// Windows of 15 s, 30 s, 60 s and so on, up to all, are looked at. In one of them the number rises if
  /// - later values exceed earlier ones in at least four of five pairs (Kendall's τ of 0.6);
  /// - the least value of each quarter exceeds that of the one before it: what is released again does not count;
  /// - the second half has its share of it: what has risen once, and is flat since, does not rise;
  /// - it has risen by half as much again as it has ever fallen in a time five times as long: what goes up and down does not rise;
  /// - it has risen by more than `error`, and by more than a twentieth of itself, or, in ten minutes, a hundredth.
  static func rise(of points: [Point], error: Double) -> Trend? {
    guard let last = points.last, let first = points.first else { return nil }
    var length = 15.0
    var slope: Double?
    while true {
      let window = points.drop { $0.time < last.time - length }
      if window.count >= 10, let start = window.first, last.time - start.time >= 12 {
        // Of windows in which it rises the longest tells best how fast.
        let fall = largestFall(in: points.drop { $0.time < last.time - 5 * length })
        slope = rise(in: Array(window), error: max(error, fall * 1.5)) ?? slope
      }
      if last.time - length <= first.time { return slope.map { trend($0, points) } }
      length *= 2
    }
  }

  private static func largestFall(in points: ArraySlice<Point>) -> Double {
    var highest = -Double.infinity
    var fall = 0.0
    for point in points {
      highest = max(highest, point.value)
      fall = max(fall, highest - point.value)
    }
    return fall
  }

  /// Bytes per second; nil where it does not rise.
  private static func rise(in window: [Point], error: Double) -> Double? {
    let start = window[0].time
    let quarter = (window[window.count - 1].time - start) / 4
    var least = [Double](repeating: .infinity, count: 4)
    for point in window {
      let index = min(Int((point.time - start) / quarter), 3)
      least[index] = min(least[index], point.value)
    }
    guard least.allSatisfy(\.isFinite), least[0] < least[1], least[1] < least[2], least[2] < least[3] else {
      return nil
    }
    let total = least[3] - least[0]
    let share = quarter > 150 ? 0.01 : quarter > 30 ? 0.025 : 0.05
    guard total > error, total > least[3] * share, least[3] - least[1] > total / 3, least[3] - least[2] > total / 10
    else {
      return nil
    }
    var rising = 0
    var falling = 0
    var slopes: [Double] = []
    slopes.reserveCapacity(window.count * (window.count - 1) / 2)
    for (index, later) in window.enumerated() {
      for earlier in window[..<index] {
        if later.value > earlier.value { rising += 1 } else if later.value < earlier.value { falling += 1 }
        slopes.append((later.value - earlier.value) / (later.time - earlier.time))
      }
    }
    guard Double(rising - falling) > 0.6 * Double(slopes.count) else { return nil }
    // The median of all slopes (Theil and Sen): single samples that are off do not count.
    slopes.sort()
    return slopes[slopes.count / 2]
  }

  /// Goes back from the end to where the number was lowest, and on as long as it was no more than a quarter of the rise above
  /// that; it began to rise when it was last at the bottom.
  private static func trend(_ slope: Double, _ points: [Point]) -> Trend {
    // A single last sample that is off does not count.
    let end = points.suffix(3).map(\.value).max() ?? 0
    let past = points.dropLast(3)
    guard var lowest = past.last else { return Trend(perMinute: slope * 60, since: points[0].time, rise: 0) }
    for point in past.reversed() {
      if point.value < lowest.value { lowest = point }
      if point.value > lowest.value + max((end - lowest.value) / 4, 1), point.time < lowest.time { break }
    }
    let rise = end - lowest.value
    let bottom = past.last { $0.time >= lowest.time && $0.value <= lowest.value + rise / 30 } ?? lowest
    return Trend(perMinute: slope * 60, since: bottom.time, rise: Int(rise))
  }
}
