// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

extension ComparisonReport {
  /// What it all says, in one sentence.
  var verdict: String {
    if let failure = baseline.failure { return "Nothing can be said: on \(baseline.name) the program \(failure)." }
    let others = contenders.dropFirst().filter { $0.failure == nil }
    guard !others.isEmpty else { return "Nothing can be said: no other allocator ran the program well." }
    let main: Metric = others.contains { $0.result(.score) != nil } ? .score : .wallTime
    if rounds < Statistics.leastCount(confidence: intervalConfidence) {
      return preliminaryVerdict(on: others, by: main)
    }
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

  /// What few rounds have shown, how sure that is, and how many would settle it.
  private func preliminaryVerdict(on others: some Collection<Contender>, by main: Metric) -> String {
    let least = Statistics.leastCount(confidence: intervalConfidence)
    let ran = "After \(rounds) \(rounds == 1 ? "round" : "rounds")"
    // The surest first, and of those the largest change: a ratio of 1.5 is as large as one of 1 / 1.5.
    let seen = others.compactMap { contender in
      [main, .peakResident].compactMap { metric in contender.result(metric).map { (contender.name, metric, $0) } }
        .filter { $0.2.seenText != nil }
    }.joined().sorted { first, second in
      let changes = [first, second].map { abs(log($0.2.ratio?.median ?? 1)) }
      return (first.2.sureness, changes[0]) > (second.2.sureness, changes[1])
    }
    let settles = "\(least) rounds that agree would settle \(others.count == 1 ? "it" : "each such difference")"
    guard let (name, metric, result) = seen.first, let text = result.seenText else {
      return "\(ran) no difference has been seen; \(least) rounds would tell."
    }
    let what = metric == .peakResident ? "memory" : metric == .score ? "score" : "time"
    let verb = metric == .score ? "reached" : "took"
    // "4.1 times as much memory as system", "57 % more memory than system".
    let joint = text.contains("as much") ? "as" : "than"
    let sure = String(format: "%.1f %%", result.sureness * 100)
    let only = result.sureness == 0 ? "which may be chance" : "which by itself is \(sure) sure not to be chance"
    return
      "\(ran), not settled: \(name) \(verb) \(text.replacing(" in ", with: " \(what) \(joint) \(baseline.name) in ")), \(only); "
      + "\(settles)."
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
