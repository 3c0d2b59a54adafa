// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit

/// What the runs of one allocator say about one metric.
struct MetricResult: Codable, Sendable, Equatable {
  /// A ratio to the baseline: the median of the ratios within each round, with an interval.
  struct Ratio: Codable, Sendable, Equatable {
    var median: Double
    /// The ends of the interval; nil if there were too few rounds for one.
    var low: Double?
    var high: Double?
    /// How many rounds have a ratio, and in how many of them it lies on the median's side of 1.
    var rounds: Int?
    var agreeing: Int?
  }

  /// What the interval says.
  enum Verdict: String, Codable, Sendable {
    /// It is the baseline.
    case baseline
    /// The interval holds 1.
    case noDifference
    case less
    case more
    /// No interval can be given that is as sure as it has to be.
    case tooFewRounds
    /// The metric explains, and decides nothing.
    case none
  }

  var metric: Metric
  var median: Double
  var ratio: Ratio?
  var verdict: Verdict

  /// - Parameters:
  ///   - values: the values by round.
  ///   - baseline: the baseline's values by round; nil if this is the baseline.
  ///   - confidence: of the interval.
  init?(_ metric: Metric, values: [Int: Double], baseline: [Int: Double]?, confidence: Double, isDecisive: Bool) {
    guard let median = Statistics.median(Array(values.values)) else { return nil }
    self.metric = metric
    self.median = median
    guard let baseline else {
      ratio = nil
      verdict = .baseline
      return
    }
    // In the order of the rounds: the ratios of nothing to nothing are no ratios.
    let ratios = values.keys.sorted().compactMap { round -> Double? in
      guard let base = baseline[round], base > 0 else { return nil }
      return values[round].map { $0 / base }
    }
    ratio = Statistics.median(ratios).map { median in
      let agreeing = median == 1 ? 0 : ratios.count { median < 1 ? $0 < 1 : $0 > 1 }
      return Ratio(median: median, rounds: ratios.count, agreeing: agreeing)
    }
    if let interval = Statistics.cautiousMedianInterval(of: ratios, confidence: confidence) {
      ratio?.low = interval.lowerBound
      ratio?.high = interval.upperBound
      verdict = interval.contains(1) ? .noDifference : interval.upperBound < 1 ? .less : .more
    } else {
      verdict = .tooFewRounds
    }
    if !isDecisive || ratio == nil { verdict = .none }
  }

  /// The verdict in words, such as "3.1 % less"; empty if there is none.
  var verdictText: String {
    switch verdict {
    case .baseline: "the baseline"
    case .noDifference: "no difference"
    case .less, .more: changeText
    case .tooFewRounds: seenText.map { "\($0), not settled" } ?? "nothing seen yet"
    case .none: ""
    }
  }

  /// What was seen, of which no verdict can be given, such as "57 % more in 8 of 8 rounds"; nil if nothing was.
  var seenText: String? {
    guard let ratio, let rounds = ratio.rounds, let agreeing = ratio.agreeing, agreeing > 0 else { return nil }
    return "\(changeText) in \(agreeing) of \(rounds) \(rounds == 1 ? "round" : "rounds")"
  }

  /// How sure it is that the ratio lies on that side of 1 at all, from 0 to 1, for this metric of this allocator alone.
  var sureness: Double {
    guard let rounds = ratio?.rounds, let agreeing = ratio?.agreeing else { return 0 }
    return Statistics.signTestConfidence(count: agreeing, of: rounds)
  }

  /// The ratio as a change, such as "3.1 % less", or "2.5 times".
  var changeText: String {
    guard let ratio = ratio?.median else { return "" }
    if ratio >= 2 { return String(format: "%.1f times as much", ratio) }
    let percent = abs(ratio - 1) * 100
    return String(format: percent < 9.95 ? "%.1f %% " : "%.0f %% ", percent) + (ratio < 1 ? "less" : "more")
  }

  var ratioText: String { ratio.map { String(format: "%.3f", $0.median) } ?? "" }

  var intervalText: String {
    guard let low = ratio?.low, let high = ratio?.high else { return "" }
    return String(format: "%.3f…%.3f", low, high)
  }
}
