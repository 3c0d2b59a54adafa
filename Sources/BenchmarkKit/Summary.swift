// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What the samples of an experiment say: per subject and contender the medians, and the ratios to one contender.
public struct Summary: Sendable, Codable {
  /// One contender at one subject.
  public struct Row: Sendable, Codable {
    public var subject: String
    public var contender: String

    /// Why this trial has no numbers, if one of its runs failed.
    public var failure: String?

    /// How many runs the numbers are from.
    public var runs: Int

    /// The median wall time; nil without a run.
    public var medianSeconds: Double?

    /// The least and the greatest wall time; nil without a run.
    public var leastSeconds: Double?
    public var mostSeconds: Double?

    /// The median peak RSS in bytes; nil without a run.
    public var medianPeakResidentBytes: Double?

    /// Wall time relative to the baseline's; nil where the baseline has no run in the same rounds.
    public var time: Ratio?

    /// Processor time, user and system together, relative to the baseline's.
    public var processor: Ratio?

    /// Peak RSS relative to the baseline's.
    public var memory: Ratio?
  }

  /// A ratio to the baseline: above 1 is more time, or more memory.
  public struct Ratio: Sendable, Codable {
    /// The median of the ratios within each round.
    public var median: Double

    /// The lower end of the 95 % interval of that median; below six rounds, which are too few for one, the least ratio.
    public var low: Double

    /// The upper end.
    public var high: Double

    init?(_ ratios: [Double]) {
      guard let middle = Statistics.median(ratios) else { return nil }
      guard let least = ratios.min(), let most = ratios.max() else { return nil }
      let interval = Statistics.cautiousMedianInterval(of: ratios, confidence: 0.95) ?? least...most
      median = middle
      low = interval.lowerBound
      high = interval.upperBound
    }
  }

  /// One contender over all subjects.
  public struct Mean: Sendable, Codable {
    public var contender: String

    /// The geometric means of the ratios; nil if the contender lacks one at any subject.
    public var time: Double?
    public var processor: Double?
    public var memory: Double?
  }

  /// The contender that the ratios are relative to.
  public let baseline: String

  /// The rows, subject by subject.
  public let rows: [Row]

  public let means: [Mean]

  /// Summarizes samples.
  ///
  /// - Parameters:
  ///   - samples: those of an experiment, in any order.
  ///   - trials: its trials, whose order the rows have.
  ///   - baseline: the contender that the ratios are relative to.
  public init(_ samples: [Sample], of trials: [Trial], baseline: String) {
    self.baseline = baseline
    let subjects = Summary.distinct(trials.map(\.subject))
    let contenders = Summary.distinct(trials.map(\.contender))
    rows = subjects.flatMap { subject in
      let ofSubject = samples.filter { $0.subject == subject }
      let base = ofSubject.filter { $0.contender == baseline }
      return contenders.compactMap { contender in
        Row(ofSubject.filter { $0.contender == contender }, baseline: base)
      }
    }
    means = contenders.map { [rows] contender in
      let own = rows.filter { $0.contender == contender }
      func mean(_ ratio: (Row) -> Ratio?) -> Double? {
        let ratios = own.compactMap { ratio($0)?.median }
        return ratios.count == subjects.count ? Statistics.geometricMean(ratios) : nil
      }
      return Mean(contender: contender, time: mean(\.time), processor: mean(\.processor), memory: mean(\.memory))
    }
  }

  /// The rows that failed.
  public var failures: [Row] {
    rows.filter { $0.failure != nil }
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

extension Summary.Row {
  /// Summarizes one trial; nil if it never ran.
  ///
  /// - Parameters:
  ///   - samples: those of the trial.
  ///   - baseline: those of the baseline at the same subject.
  init?(_ samples: [Sample], baseline: [Sample]) {
    guard let first = samples.first else { return nil }
    subject = first.subject
    contender = first.contender
    failure = samples.compactMap(\.failure).first
    // A trial that failed once has no numbers: what the runs before cost is not what a program costs that works.
    let counted = failure == nil ? samples.filter { $0.round > 0 } : []
    let base = baseline.contains { $0.failure != nil } ? [] : baseline.filter { $0.round > 0 }
    runs = counted.count
    medianSeconds = Statistics.median(counted.map(\.wallSeconds))
    leastSeconds = counted.map(\.wallSeconds).min()
    mostSeconds = counted.map(\.wallSeconds).max()
    medianPeakResidentBytes = Statistics.median(counted.map { Double($0.peakResidentBytes) })
    let pairs = counted.compactMap { sample in
      base.first { $0.round == sample.round }.map { (sample, $0) }
    }
    time = Summary.Ratio(pairs.map { $0.0.wallSeconds / $0.1.wallSeconds })
    processor = Summary.Ratio(pairs.map { $0.0.processorSeconds / $0.1.processorSeconds })
    memory = Summary.Ratio(pairs.map { Double($0.0.peakResidentBytes) / Double($0.1.peakResidentBytes) })
  }
}
