// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension Statistics {
  /// Returns an interval that holds the median of what `values` are a sample of in at least the share `confidence` of cases,
  /// whatever the distribution; nil if there are too few values for any such interval.
  ///
  /// It runs from the k-th least to the k-th greatest value: the median lies outside of it when fewer than k of n fair coins
  /// fall on one side (the interval of the sign test; Conover, "Practical Nonparametric Statistics", section 3.2).
  public static func signTestMedianInterval(of values: [Double], confidence: Double) -> ClosedRange<Double>? {
    let rank = signTestRank(count: values.count, confidence: confidence)
    guard rank > 0 else { return nil }
    let sorted = values.sorted()
    return sorted[rank - 1]...sorted[values.count - rank]
  }

  /// Returns a bootstrap interval for the median (see ``medianInterval(of:confidence:resamples:)``) that is never narrower
  /// than the sign test's; nil if there are too few values for that.
  ///
  /// The percentile bootstrap alone holds the median of a few values less often than it says: 93.75 % of the time for five
  /// values at a confidence of 95 %, or of 99 %.
  public static func cautiousMedianInterval(of values: [Double], confidence: Double) -> ClosedRange<Double>? {
    guard let sure = signTestMedianInterval(of: values, confidence: confidence) else { return nil }
    // No resample has a median outside of all values.
    if signTestRank(count: values.count, confidence: confidence) == 1 { return sure }
    // Enough that some resamples lie in the tails.
    let resamples = max(2000, Int(20 / (1 - confidence)))
    guard let drawn = medianInterval(of: values, confidence: confidence, resamples: resamples) else { return nil }
    return min(sure.lowerBound, drawn.lowerBound)...max(sure.upperBound, drawn.upperBound)
  }

  /// Returns how sure it is that a median lies on one side, when `count` of `total` values do: 1 minus the share of cases in which
  /// fair coins would fall at least as unevenly, to either side (the sign test). 0 if they do not lie unevenly at all.
  public static func signTestConfidence(count: Int, of total: Int) -> Double {
    let greater = max(count, total - count)
    guard total > 0, 2 * greater > total else { return 0 }
    // From 1, for there are many digits between that and a small tail.
    var term = 1.0
    for _ in 0..<total { term /= 2 }
    var tail = 0.0
    for fewer in 0...(total - greater) {
      tail += term
      term *= Double(total - fewer) / Double(fewer + 1)
    }
    return max(0, 1 - 2 * tail)
  }

  /// Returns the least number of values of which there is such an interval.
  public static func leastCount(confidence: Double) -> Int {
    var count = 1
    while signTestRank(count: count, confidence: confidence) == 0 { count += 1 }
    return count
  }

  /// The greatest k for which 2 P(Bin(n, 1/2) < k) is at most 1 - confidence; 0 if there is none.
  private static func signTestRank(count: Int, confidence: Double) -> Int {
    guard count > 0 else { return 0 }
    var term = 1.0
    for _ in 0..<count { term /= 2 }
    var tail = 0.0
    var rank = 0
    while rank < (count + 1) / 2 {
      tail += term
      // The last digit of a product such as 1 - 0.95 is not its own.
      guard 2 * tail <= (1 - confidence) * (1 + 1e-9) else { break }
      rank += 1
      term *= Double(count - rank + 1) / Double(rank)
    }
    return rank
  }
}
