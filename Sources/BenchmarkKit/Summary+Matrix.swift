// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

extension Summary {
  /// One ratio of all rows: a line for each subject, a column for each contender but the baseline, geometric means last.
  ///
  /// A ratio whose interval holds 1 has a `~` behind it: no difference was found.
  ///
  /// - Parameters:
  ///   - title: the title of the column of subjects.
  ///   - ratio: which ratio of a row.
  ///   - mean: the same of a mean.
  public func matrix(_ title: String, of ratio: (Row) -> Ratio?, mean: (Mean) -> Double?) -> TextTable {
    let others = means.map(\.contender).filter { $0 != baseline }
    var table = TextTable([(title, .left)] + others.map { ($0, .right) })
    var subjects: [String] = []
    for row in rows where subjects.last != row.subject { subjects.append(row.subject) }
    for subject in subjects {
      let cells = others.map { contender in
        cell(rows.first { $0.subject == subject && $0.contender == contender }, ratio)
      }
      table.addRow([subject] + cells)
    }
    table.addGap()
    let cells = others.map { contender in text(means.first { $0.contender == contender }.flatMap(mean)) + " " }
    table.addRow(["geometric mean"] + cells)
    return table
  }

  private func cell(_ row: Row?, _ ratio: (Row) -> Ratio?) -> String {
    guard row?.failure == nil else { return "failed " }
    guard let ratio = row.flatMap(ratio) else { return "- " }
    return text(ratio.median) + (ratio.low <= 1 && 1 <= ratio.high ? "~" : " ")
  }

  /// A ratio with two digits.
  func text(_ ratio: Double?) -> String {
    ratio.map { String(format: "%.2f", $0) } ?? "-"
  }
}
