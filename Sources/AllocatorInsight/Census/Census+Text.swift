// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension Census: CustomStringConvertible {
  /// One line of the table.
  struct Row {
    var name: String
    var isType: Bool
    var group: Group
  }

  /// All groups: what has changed most first, or what there is most of where there is no earlier census.
  var rows: [Row] {
    let all =
      types.map { Row(name: $0.key, isType: true, group: $0.value) }
      + sizes.map { Row(name: Self.sizeName($0.key), isType: false, group: $0.value) }
    return all.sorted {
      ($0.group.weight, $0.group.live.bytes.value, $1.name) > ($1.group.weight, $1.group.live.bytes.value, $0.name)
    }
  }

  private static func sizeName(_ size: Int) -> String { "no Swift object, up to \(ByteCount(size)) each" }

  /// The answer in one sentence.
  public var headline: String {
    let rows = rows
    guard let change = totalChange, let secondsSince else {
      var sentence =
        "\(size(total.bytes)) are alive in \(HeapProfile.count(total.objects.value)) \(total.objects.value == 1 ? "block" : "blocks")"
      if !isExact {
        sentence = "By \(samples) samples, \(sentence) of what was allocated in \(TimeSpan(profiledSeconds))"
      }
      guard let first = rows.first else { return sentence }
      return sentence + "; most of it is \(what(first, first.group.live, of: total))"
    }
    var sentence = "Live memory \(HeapProfile.change(change.bytes.value)) in \(TimeSpan(secondsSince))"
    if !isExact { sentence += " (\(HeapProfile.error(change.bytes)), by samples)" }
    // What has moved the same way.
    let first = rows.first { ($0.group.change?.bytes.value ?? 0) * change.bytes.value > 0 }
    guard let first, let own = first.group.change else { return sentence }
    return sentence + "; most of it is \(what(first, own, of: change))"
  }

  /// "640,000 × Server.Session (39 MiB, 94 %)", and where it is an estimate, its error behind that.
  private func what(_ row: Row, _ amount: HeapProfile.Amount, of total: HeapProfile.Amount) -> String {
    let share = total.bytes.value != 0 ? Int((amount.bytes.value / total.bytes.value * 100).rounded()) : 0
    let name = row.isType ? row.name : "block that is \(row.name)"
    let bytes = ByteCount(Int(amount.bytes.value.rounded()))
    let error = isExact ? "" : ", \(HeapProfile.error(amount.objects))"
    return "\(HeapProfile.count(amount.objects.value)) × \(name) (\(bytes), \(min(share, 999)) %\(error))"
  }

  private func size(_ estimate: HeapProfile.Estimate) -> String {
    isExact ? "\(ByteCount(Int(estimate.value.rounded())))" : HeapProfile.size(estimate)
  }

  private func count(_ estimate: HeapProfile.Estimate) -> String {
    let number = HeapProfile.count(estimate.value)
    return isExact ? number : "\(number) (\(HeapProfile.error(estimate)))"
  }

  /// A table for people: the answer first, then the 30 groups that there is most of, or that have changed most.
  public var description: String {
    let hasChange = secondsSince != nil
    var titles = ["live", "blocks"]
    if hasChange { titles += ["change", "blocks"] }
    let rows = rows
    let shown = rows.prefix(30)
    var cells = [titles]
    for row in shown {
      var texts = [size(row.group.live.bytes), count(row.group.live.objects)]
      if hasChange {
        let change = row.group.change ?? HeapProfile.Amount()
        texts += [signed(change.bytes, size), signed(change.objects, count)]
      }
      cells.append(texts)
    }
    let widths = titles.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    var lines = [headline, ""]
    for (index, texts) in cells.enumerated() {
      let padded = zip(texts, widths).map { text, width in String(repeating: " ", count: width - text.count) + text }
      lines.append("  " + padded.joined(separator: "  ") + "  " + (index == 0 ? "type" : shown[index - 1].name))
    }
    if rows.count > shown.count { lines.append("  and \(rows.count - shown.count) more") }
    lines.append("")
    if isExact {
      lines.append("exact      every live block of \(allocator) was looked at, in \(decimal(seconds * 1000, 1)) ms")
    } else {
      lines.append(
        "estimate   from \(samples) live samples, one in \(ByteCount(interval)) on average, of what was allocated over \(allocator) in the last \(TimeSpan(profiledSeconds))"
      )
    }
    for note in notes { lines.append("note       \(note)") }
    return lines.joined(separator: "\n")
  }

  /// With a sign also where it is more.
  private func signed(_ estimate: HeapProfile.Estimate, _ text: (HeapProfile.Estimate) -> String) -> String {
    (estimate.value > 0 ? "+" : "") + text(estimate)
  }
}
