// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// Everything about one comparison: what the JSON file holds, and what the page and the table show.
struct ComparisonReport: Codable, Sendable {
  /// An allocator, and what the program did on it.
  struct Contender: Codable, Sendable {
    var name: String
    var version: String
    /// The library; nil for the system's.
    var path: String?
    /// Why there are no results: the first run that failed, or that printed something else than the others.
    var failure: String?
    /// How many runs the results are from.
    var runs: Int
    var results: [MetricResult]
    /// Memory over time of the run whose peak is the median one.
    var resident: [ResidentPoint]

    func result(_ metric: Metric) -> MetricResult? { results.first { $0.metric == metric } }
  }

  /// How a server was driven.
  struct Load: Codable, Sendable, Equatable {
    var port: Int
    var command: String
    var score: String?
  }

  /// What was compared, before anything was run.
  struct Plan: Codable, Sendable {
    var command: [String]
    var load: Load?
    var contenders: [PlannedContender]
    var seed: UInt64
    var machine: Machine
    /// When it began, ISO 8601.
    var date: String
  }

  struct PlannedContender: Codable, Sendable {
    var name: String
    var version: String
    var path: String?
  }

  /// The share of comparisons of equal allocators in which all verdicts of the report say "no difference", at least.
  ///
  /// More than the usual 95 %, at little cost: at 15 rounds the intervals are no wider for five allocators.
  static let confidence = 0.98

  var plan: Plan
  /// The rounds that were begun, the warm-up not counted.
  var rounds: Int
  /// The order of each round.
  var orders: [[String]]
  /// The confidence of each single interval, so that all of them together have ``confidence``.
  var intervalConfidence: Double
  var contenders: [Contender]
  /// What a reader has to know besides.
  var notes: [String]
  /// All runs in their order, those of the warm-up (round 0) and those that failed included.
  var samples: [Sample]

  init(_ plan: Plan, samples: [Sample], orders: [[String]], notes: [String]) {
    self.plan = plan
    self.orders = orders
    self.notes = notes
    self.samples = samples
    rounds = samples.map(\.round).max() ?? 0
    let hasScore = plan.load?.score != nil
    let isServer = plan.load != nil
    let decisive = Metric.allCases.filter { $0.isDecisive(forServer: isServer, hasScore: hasScore) }
    let questions = max(1, decisive.count * (plan.contenders.count - 1))
    // Bonferroni: each may be wrong in its share of the cases in which any may be.
    intervalConfidence = 1 - (1 - Self.confidence) / Double(questions)

    let confidence = intervalConfidence
    contenders = plan.contenders.enumerated().map { index, planned in
      let own = samples.filter { $0.contender == planned.name }
      let failure = own.compactMap(\.failure).first
      // What the runs before cost is not what a program costs that works.
      let counted = failure == nil ? own.filter { $0.round > 0 } : []
      let base = samples.filter { $0.contender == plan.contenders[0].name && $0.round > 0 && $0.failure == nil }
      let results = Metric.allCases.compactMap { metric in
        MetricResult(
          metric, values: Self.values(metric, counted), baseline: index == 0 ? nil : Self.values(metric, base),
          confidence: confidence, isDecisive: decisive.contains(metric))
      }
      return Contender(
        name: planned.name, version: planned.version, path: planned.path, failure: failure, runs: counted.count,
        results: results, resident: Self.typicalSeries(counted))
    }
  }

  /// The metrics of which there is anything to show.
  var metrics: [Metric] {
    Metric.allCases.filter { metric in contenders.contains { ($0.result(metric)?.median ?? 0) > 0 } }
  }

  var isServer: Bool { plan.load != nil }

  var baseline: Contender { contenders[0] }

  var failures: [Contender] { contenders.filter { $0.failure != nil } }

  /// The file, RFC 8259.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  private static func values(_ metric: Metric, _ samples: [Sample]) -> [Int: Double] {
    Dictionary(
      samples.compactMap { sample in metric.value(of: sample).map { (sample.round, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  private static func typicalSeries(_ samples: [Sample]) -> [ResidentPoint] {
    let byPeak = samples.filter { $0.resident != nil }
      .sorted { (Metric.peakResident.value(of: $0) ?? 0) < (Metric.peakResident.value(of: $1) ?? 0) }
    return byPeak.isEmpty ? [] : byPeak[byPeak.count / 2].resident ?? []
  }
}
