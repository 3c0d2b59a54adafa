// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// The few statistics that a comparison of programs takes.
public enum Statistics {
  /// Returns the value below which the share `quantile` (0 to 1) of the values lies, interpolated between neighbours;
  /// nil for no values.
  public static func quantile(_ quantile: Double, of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let position = quantile * Double(sorted.count - 1)
    let below = Int(position.rounded(.down))
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
  }

  /// Returns the median; nil for no values.
  public static func median(_ values: [Double]) -> Double? {
    quantile(0.5, of: values)
  }

  /// Returns the geometric mean of positive values; nil for no values.
  public static func geometricMean(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    return exp(values.reduce(0) { $0 + log($1) } / Double(values.count))
  }

  /// Returns an interval for the median of what `values` are a sample of: the percentile bootstrap (Efron 1979).
  ///
  /// It draws `resamples` times as many values as there are, with replacement, and takes the quantiles of their medians. With
  /// five values the interval is little narrower than from the least to the greatest. The same values give the same
  /// interval, whatever their order.
  ///
  /// - Parameters:
  ///   - values: the sample; an interval of one value is that value.
  ///   - confidence: the share of cases in which such an interval holds the true median.
  ///   - resamples: how often to draw; costs as many passes over the sample.
  public static func medianInterval(of values: [Double], confidence: Double = 0.95, resamples: Int = 2000)
    -> ClosedRange<Double>?
  {
    guard !values.isEmpty else { return nil }
    let sample = values.sorted()
    var generator = SplitMix64(seed: 1)
    // How often a resample holds each value: as the sample is sorted, the median needs no other sort.
    var draws = [Int](repeating: 0, count: sample.count)
    let medians = (0..<resamples).map { _ in
      for index in draws.indices { draws[index] = 0 }
      for _ in draws.indices {
        // A bias of less than 2^-50 does not matter here.
        draws[Int(generator.next().multipliedFullWidth(by: UInt64(draws.count)).high)] += 1
      }
      return (value(ofRank: (sample.count - 1) / 2, draws, sample) + value(ofRank: sample.count / 2, draws, sample)) / 2
    }
    let tail = (1 - confidence) / 2
    return quantile(tail, of: medians)!...quantile(1 - tail, of: medians)!
  }

  /// The value of rank `rank`, from 0, of a resample that holds each value of `sample` as often as `draws` says.
  private static func value(ofRank rank: Int, _ draws: [Int], _ sample: [Double]) -> Double {
    var seen = 0
    for (index, count) in draws.enumerated() {
      seen += count
      if seen > rank { return sample[index] }
    }
    return sample[sample.count - 1]
  }
}
