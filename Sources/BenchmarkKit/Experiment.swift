// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Runs trials in rounds: in each round every contender once at every subject, a subject's runs next to each other and in
/// an order of their own, so that whatever else the machine does meets all contenders alike.
///
/// A trial that fails, or whose answer is not that of its subject's first good run, is not run again: its failure stands
/// in its sample.
public struct Experiment: Sendable {
  /// The trials, in the order of the warm-up: the contender that the others are compared with should be a subject's first.
  public var trials: [Trial]

  /// How often each trial counts.
  public var rounds: Int

  /// Whether a round goes before that counts for nothing: it fills the caches of the file system.
  public var warmsUp: Bool

  /// Decides the orders.
  public var seed: UInt64

  /// The longest that a run may take; nil is no limit.
  public var timeoutSeconds: Double?

  /// Whether the memory of a run is looked at while it runs; see ``ProgramRun/resident``.
  public var watchesMemory = false

  /// About how long all rounds together may take: no round begins that would, at the pace so far, end later. Nil is no limit.
  public var budgetSeconds: Double?

  public var launcher: ProgramLauncher

  public init(
    trials: [Trial], rounds: Int, warmsUp: Bool = true, seed: UInt64, timeoutSeconds: Double?,
    launcher: ProgramLauncher
  ) {
    self.trials = trials
    self.rounds = rounds
    self.warmsUp = warmsUp
    self.seed = seed
    self.timeoutSeconds = timeoutSeconds
    self.launcher = launcher
  }

  /// How many runs there are at most.
  public var runCount: Int {
    trials.count * (rounds + (warmsUp ? 1 : 0))
  }

  /// Runs all rounds.
  ///
  /// - Parameters:
  ///   - orderDecided: told at the beginning of each round of each subject in which order its contenders run.
  ///   - progress: told of every run when it has ended, with its number, from 1.
  /// - Returns: the samples in the order of the runs, those of the warm-up included.
  /// - Throws: ``SystemError`` if the launcher cannot be started.
  public func run(
    orderDecided: (_ round: Int, _ contenders: [String]) -> Void = { _, _ in },
    progress: (_ sample: Sample, _ number: Int) -> Void
  ) throws(SystemError) -> [Sample] {
    var generator = SplitMix64(seed: seed)
    var samples: [Sample] = []
    var failed: Set<Int> = []
    var answers: [String: (answer: String, contender: String)] = [:]
    let begin = SystemClock.seconds
    for round in (warmsUp ? 0 : 1)..<(rounds + 1) {
      if let budgetSeconds, round > 1 {
        let done = Double(warmsUp ? round : round - 1)
        let elapsed = SystemClock.seconds - begin
        if elapsed + elapsed / done > budgetSeconds { break }
      }
      for subject in subjects {
        var order = trials.indices.filter { trials[$0].subject == subject && !failed.contains($0) }
        if round > 0 { order.shuffle(using: &generator) }
        orderDecided(round, order.map { trials[$0].contender })
        for (position, index) in order.enumerated() {
          let trial = trials[index]
          let run = try launcher.run(
            trial.command, load: trial.load, timeoutSeconds: timeoutSeconds, watchesMemory: watchesMemory)
          let failure = failure(of: run, in: trial, answers: &answers)
          if failure != nil { failed.insert(index) }
          samples.append(Sample(of: trial, round: round, position: position, run: run, failure: failure))
          progress(samples[samples.count - 1], samples.count)
        }
      }
    }
    return samples
  }

  /// The subjects, each once, in the order of the trials.
  private var subjects: [String] {
    var seen: Set<String> = []
    return trials.map(\.subject).filter { seen.insert($0).inserted }
  }

  private func failure(
    of run: ProgramRun, in trial: Trial, answers: inout [String: (answer: String, contender: String)]
  ) -> String? {
    if let failure = run.failure { return failure }
    do {
      let answer = try trial.answer(run)
      let first = answers[trial.subject] ?? (answer, trial.contender)
      answers[trial.subject] = first
      return answer == first.answer
        ? nil : "answered \"\(answer)\", but \(first.contender) answered \"\(first.answer)\""
    } catch {
      return error.reason
    }
  }
}
