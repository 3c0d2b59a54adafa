// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit

extension ComparisonReport {
  /// What it all says, in one sentence.
  var verdict: String {
    if let failure = baseline.failure { return "Nothing can be said: on \(baseline.name) the program \(failure)." }
    let others = contenders.dropFirst().filter { $0.failure == nil }
    guard !others.isEmpty else { return "Nothing can be said: no other allocator ran the program well." }
    let least = Statistics.leastCount(confidence: intervalConfidence)
    guard rounds >= least else {
      return "Nothing can be said after \(rounds) rounds: a verdict on \(others.count) "
        + "\(others.count == 1 ? "allocator" : "allocators") takes at least \(least)."
    }

    let main: Metric = others.contains { $0.result(.score) != nil } ? .score : .wallTime
    // A score is the better the higher it is, a time the lower.
    let better: MetricResult.Verdict = main == .score ? .more : .less
    let gain = { (contender: Contender) -> Double in
      let ratio = contender.result(main)?.ratio?.median ?? 1
      return main == .score ? ratio : 1 / ratio
    }
    if let best = others.filter({ $0.result(main)?.verdict == better }).max(by: { gain($0) < gain($1) }),
      let result = best.result(main)
    {
      let what = main == .score ? "scores" : isServer ? "serves the load in" : "runs this program in"
      return "\(best.name) \(what) \(result.changeText)\(main == .score ? "" : " time") than \(baseline.name)"
        + "\(memoryClause(of: best))."
    }
    if let lightest = others.filter({ $0.result(.peakResident)?.verdict == .less })
      .min(by: { ($0.result(.peakResident)?.ratio?.median ?? 1) < ($1.result(.peakResident)?.ratio?.median ?? 1) }),
      let memory = lightest.result(.peakResident)
    {
      let cost =
        lightest.result(main).map { $0.verdict == .noDifference ? "no difference in" : "\($0.changeText)" } ?? ""
      return
        "No allocator is faster than \(baseline.name); \(lightest.name) takes \(memory.changeText) memory, with \(cost) "
        + "\(main == .score ? "score" : "time")."
    }
    let decided = others.flatMap(\.results).filter { $0.verdict != .none }
    if decided.allSatisfy({ $0.verdict == .noDifference }) {
      return
        "There is no difference between \(Self.list(contenders.filter { $0.failure == nil }.map(\.name))) for this program."
    }
    return "No allocator is better than \(baseline.name) for this program."
  }

  private func memoryClause(of contender: Contender) -> String {
    guard let memory = contender.result(.peakResident) else { return "" }
    switch memory.verdict {
    case .less, .more: return ", and takes \(memory.changeText) memory"
    case .noDifference: return ", with no difference in memory"
    default: return ""
    }
  }

  private static func list(_ names: [String]) -> String {
    names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.last!
  }
}
