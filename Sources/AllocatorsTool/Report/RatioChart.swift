// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// One metric's ratios to the baseline: a bar with a whisker for each allocator, on a logarithmic axis, so that half and twice
/// are equally far from 1.
///
/// Positions across are in percent, so that the text keeps its size on every screen.
struct RatioChart {
  private struct Row {
    var name: String
    var text: String
    var color: Int
    var isPale: Bool
    var ratio: Double
    var low: Double
    var high: Double
  }

  private let rows: [Row]
  private let title: String
  /// The ratios at the left and the right end.
  private let range: ClosedRange<Double>

  /// Nil if there is nothing to draw, or no verdict to be had.
  init?(_ report: ComparisonReport, _ metric: Metric) {
    rows = report.contenders.enumerated().compactMap { index, contender in
      guard let result = contender.result(metric), result.verdict != .none, let ratio = result.ratio, ratio.median > 0
      else { return nil }
      return Row(
        name: contender.name, text: "\(result.ratioText), \(result.verdictText)", color: index % HTMLReport.colorCount,
        isPale: result.verdict == .noDifference || result.verdict == .tooFewRounds, ratio: ratio.median,
        low: max(ratio.low ?? ratio.median, ratio.median / 20), high: min(ratio.high ?? ratio.median, ratio.median * 20)
      )
    }
    guard !rows.isEmpty else { return nil }
    title = "\(metric.title(forServer: report.isServer)) relative to \(report.baseline.name)"
    let low = min(0.9, rows.map(\.low).min()!)
    let high = max(1.1, rows.map(\.high).max()!)
    let margin = pow(high / low, 0.04)
    range = (low / margin)...(high * margin)
  }

  var svg: String {
    let rowHeight = 48
    let bottom = rows.count * rowHeight
    var parts: [String] = []
    for tick in ticks {
      parts.append(
        """
        <line class="\(tick == 1 ? "one" : "rule")" x1="\(x(tick))" x2="\(x(tick))" y1="0" y2="\(bottom)"/>
        <text class="faint" x="\(x(tick))" y="\(bottom + 16)" text-anchor="middle">\(Self.text(tick))</text>
        """)
    }
    for (index, row) in rows.enumerated() {
      let y = index * rowHeight
      let (left, right) = (min(row.ratio, 1), max(row.ratio, 1))
      let width = String(format: "%.3f%%", max(0.2, percent(right) - percent(left)))
      let label = "\(row.name): \(row.text)"
      parts.append(
        """
        <text x="0" y="\(y + 16)">\(HTMLReport.escaped(row.name))</text>
        <text x="100%" y="\(y + 16)" text-anchor="end">\(HTMLReport.escaped(row.text))</text>
        <rect class="bar f\(row.color)\(row.isPale ? " pale" : "")" x="\(x(left))" y="\(y + 24)" width="\(width)" height="14">\
        <title>\(HTMLReport.escaped(label))</title></rect>
        <line class="whisker" x1="\(x(row.low))" x2="\(x(row.high))" y1="\(y + 31)" y2="\(y + 31)"/>
        <line class="whisker" x1="\(x(row.low))" x2="\(x(row.low))" y1="\(y + 27)" y2="\(y + 35)"/>
        <line class="whisker" x1="\(x(row.high))" x2="\(x(row.high))" y1="\(y + 27)" y2="\(y + 35)"/>
        """)
    }
    return """
      <svg class="ratios" role="img" aria-label="\(HTMLReport.escaped(title))" width="100%" height="\(bottom + 22)">
      \(parts.joined(separator: "\n"))
      </svg>
      """
  }

  /// 1, and round ratios around it as far as they are not too close to each other.
  private var ticks: [Double] {
    let candidates = [1, 0.1, 10, 0.25, 4, 0.5, 2, 0.7, 1.5, 0.8, 1.25, 0.9, 1.1, 0.95, 1.05]
    var chosen: [Double] = []
    for tick in candidates where range.contains(tick) {
      if chosen.allSatisfy({ abs(percent($0) - percent(tick)) > 14 }) { chosen.append(tick) }
    }
    return chosen
  }

  private func percent(_ ratio: Double) -> Double {
    let clamped = min(max(ratio, range.lowerBound), range.upperBound)
    return 100 * log(clamped / range.lowerBound) / log(range.upperBound / range.lowerBound)
  }

  private func x(_ ratio: Double) -> String {
    String(format: "%.3f%%", percent(ratio))
  }

  private static func text(_ tick: Double) -> String {
    String(format: "%g", tick)
  }
}
