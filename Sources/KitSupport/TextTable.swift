// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A table for a terminal: columns as wide as their widest cell, two spaces apart.
public struct TextTable: Sendable {
  /// Which side a column's cells are flush with.
  public enum Alignment: Sendable { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// Makes a table of these columns.
  public init(_ columns: [(title: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.title)]
  }

  /// Adds a row; cells that are missing at its end are empty.
  public mutating func addRow(_ cells: [String]) {
    precondition(cells.count <= alignments.count, "more cells than columns")
    rows.append(cells + Array(repeating: "", count: alignments.count - cells.count))
  }

  /// Adds an empty line.
  public mutating func addGap() {
    addRow([])
  }

  /// The lines of the table, the titles first. No line ends in spaces.
  public var lines: [String] {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (alignments[column] == .left ? cell + padding : padding + cell)
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
