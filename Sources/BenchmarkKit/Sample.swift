// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// One run of one trial, as it is written to a file.
public struct Sample: Sendable, Codable, Equatable {
  public var subject: String
  public var contender: String

  /// Counted from 1; round 0 is the warm-up, which counts for nothing.
  public var round: Int

  /// The place of this run among its subject's in the round, from 0: the order differs from round to round.
  public var position: Int

  /// Why this run counts for nothing; nil for a good run.
  public var failure: String?

  public var wallSeconds: Double
  public var userSeconds: Double
  public var systemSeconds: Double
  public var peakResidentBytes: Int
  public var minorFaults: Int
  public var majorFaults: Int
  public var voluntarySwitches: Int
  public var involuntarySwitches: Int

  /// See ``ProgramRun/peakTreeResidentBytes``.
  public var peakTreeResidentBytes: Int?

  /// See ``ProgramRun/resident``.
  public var resident: [ResidentPoint]?

  /// See ``ProgramRun/score``.
  public var score: Double?

  /// Seconds of processor time, user and system together.
  public var processorSeconds: Double { userSeconds + systemSeconds }

  init(of trial: Trial, round: Int, position: Int, run: ProgramRun, failure: String?) {
    subject = trial.subject
    contender = trial.contender
    self.round = round
    self.position = position
    self.failure = failure
    wallSeconds = run.wallSeconds
    userSeconds = run.userSeconds
    systemSeconds = run.systemSeconds
    peakResidentBytes = run.peakResidentBytes
    minorFaults = run.minorFaults
    majorFaults = run.majorFaults
    voluntarySwitches = run.voluntarySwitches
    involuntarySwitches = run.involuntarySwitches
    peakTreeResidentBytes = run.peakTreeResidentBytes
    resident = run.resident.isEmpty ? nil : run.resident
    score = run.score
  }
}
