// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Everything about one experiment, for a file.
public struct Report: Sendable, Codable {
  public var machine: Machine
  public var seed: UInt64
  public var rounds: Int

  /// All runs in their order, those of the warm-up and those that failed included.
  public var samples: [Sample]
  public var summary: Summary

  public init(_ samples: [Sample], of experiment: Experiment, baseline: String) {
    machine = .current
    seed = experiment.seed
    rounds = experiment.rounds
    self.samples = samples
    summary = Summary(samples, of: experiment.trials, baseline: baseline)
  }

  /// The report as JSON (RFC 8259), keys sorted.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(self)
  }
}
