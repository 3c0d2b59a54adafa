// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// RSS over time of all allocators in one chart.
struct ResidentChart {
  private struct Line {
    var name: String
    var color: Int
    var points: [ResidentPoint]
  }

  private static let height = 220

  private let lines: [Line]
  private let seconds: Double
  private let bytes: Double

  /// Nil if nothing was seen, or only moments.
  init?(_ report: ComparisonReport) {
    lines = report.contenders.enumerated().compactMap { index, contender in
      contender.resident.count < 2
        ? nil : Line(name: contender.name, color: index % HTMLReport.colorCount, points: contender.resident)
    }
    guard let last = lines.flatMap({ $0.points.map(\.seconds) }).max(), last > 0 else { return nil }
    seconds = last
    bytes = Double(lines.flatMap { $0.points.map(\.bytes) }.max() ?? 1)
  }

  var legend: String {
    let items = lines.map { line in
      """
      <li><svg width="28" height="10" aria-hidden="true"><line class="line s\(line.color)" x1="0" x2="28" y1="5" y2="5"/></svg>\
      \(HTMLReport.escaped(line.name))</li>

      """
    }
    return "<ul class=\"legend\">\n\(items.joined())</ul>\n"
  }

  var svg: String {
    let top = Self.roundUp(bytes / 1_048_576) * 1_048_576
    var parts: [String] = []
    for step in 0...4 {
      let y = 4 + Self.height * (4 - step) / 4
      parts.append("<line class=\"rule\" x1=\"0\" x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/>")
      if step > 0 {
        let label = String(format: "%g MiB", top / 1_048_576 * Double(step) / 4)
        parts.append("<text class=\"faint\" x=\"0\" y=\"\(y + 14)\">\(label)</text>")
      }
    }
    for (share, anchor) in [(0.0, "start"), (0.5, "middle"), (1.0, "end")] {
      let label = seconds * share == 0 ? "0" : Metric.text(seconds: seconds * share)
      parts.append(
        "<text class=\"faint\" x=\"\(Int(share * 100))%\" y=\"\(Self.height + 22)\" text-anchor=\"\(anchor)\">\(label)</text>"
      )
    }
    let polylines = lines.map { line in
      let points = line.points.map { point in
        String(format: "%.1f,%.1f", point.seconds / seconds * 1000, 1000 - Double(point.bytes) / top * 1000)
      }
      return """
        <polyline class="line s\(line.color)" vector-effect="non-scaling-stroke" points="\(points.joined(separator: " "))">\
        <title>\(HTMLReport.escaped(line.name))</title></polyline>
        """
    }
    return """
      <svg class="resident" role="img" aria-label="RSS over time" width="100%" height="\(Self.height + 28)">
      \(parts.joined(separator: "\n"))
      <svg x="0" y="4" width="100%" height="\(Self.height)" viewBox="0 0 1000 1000" preserveAspectRatio="none">
      \(polylines.joined(separator: "\n"))
      </svg>
      </svg>
      """
  }

  /// The least of 4, 8, 12, 20, 40, 80, 120, … that is not less than `value`.
  static func roundUp(_ value: Double) -> Double {
    var unit = 4.0
    while true {
      for factor in [1.0, 2, 3, 5] where unit * factor >= value { return unit * factor }
      unit *= 10
    }
  }
}
