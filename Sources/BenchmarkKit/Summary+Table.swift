// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

extension Summary {
  /// The summary as a table for a terminal. The spread is that of the wall time, from the least to the greatest.
  ///
  /// - Parameters:
  ///   - subject: the title of the column of subjects, such as "workload".
  ///   - contender: the title of the column of contenders, such as "allocator".
  public func table(subject: String, contender: String) -> TextTable {
    var table = TextTable([
      (subject, .left), (contender, .left), ("time", .right), ("spread", .left), ("ratio", .right), ("interval", .left),
      ("CPU", .right), ("peak RSS", .right), ("ratio", .right), ("interval", .left), ("runs", .right),
    ])
    var previous: String?
    for row in rows {
      if previous != nil && previous != row.subject { table.addGap() }
      table.addRow([row.subject == previous ? "" : row.subject] + cells(of: row))
      previous = row.subject
    }
    if rows.count > means.count {
      table.addGap()
      for (index, mean) in means.enumerated() {
        table.addRow([
          index == 0 ? "geometric mean" : "", mean.contender, "", "", text(mean.time), "", text(mean.processor), "",
          text(mean.memory),
        ])
      }
    }
    return table
  }

  private func cells(of row: Row) -> [String] {
    if row.failure != nil { return [row.contender, "failed"] }
    guard let seconds = row.medianSeconds, let bytes = row.medianPeakResidentBytes else {
      return [row.contender, "not run"]
    }
    // That of the baseline is 1 to 1, and that of one run is no interval.
    let hasInterval = row.contender != baseline && row.runs > 1
    return [
      row.contender, String(format: "%.3f s", seconds), row.runs > 1 ? spread(of: row) : "", text(row.time?.median),
      hasInterval ? text(interval: row.time) : "", text(row.processor?.median),
      String(format: "%.1f MiB", bytes / 1_048_576), text(row.memory?.median),
      hasInterval ? text(interval: row.memory) : "", "\(row.runs)",
    ]
  }

  private func spread(of row: Row) -> String {
    guard let least = row.leastSeconds, let most = row.mostSeconds else { return "" }
    return String(format: "%.3f…%.3f", least, most)
  }

  private func text(interval ratio: Ratio?) -> String {
    ratio.map { String(format: "%.2f…%.2f", $0.low, $0.high) } ?? "-"
  }
}
