// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HeapProfile {
  /// A report for people: the answer, where live memory comes from, and the stacks that have most of it.
  public var description: String { text }

  var text: String {
    var lines = [headline, ""]
    let all = live.bytes.value
    if owners.isEmpty {
      lines.append("nothing that was sampled is alive")
    } else {
      lines.append(Self.row("live", "of all", "blocks", "from, and type"))
      for owner in owners.prefix(20) {
        let share = all != 0 ? "\(Int((owner.live.bytes.value / all * 100).rounded())) %" : "-"
        lines.append(
          Self.row(
            Self.size(owner.live.bytes), share,
            "\(Self.count(owner.live.objects.value)) (\(Self.error(owner.live.objects)))",
            "\(FunctionName.short(owner.function)), \(owner.type ?? "no Swift object")"))
      }
      if owners.count > 20 { lines.append("and \(owners.count - 20) more") }
    }
    for site in sites.prefix(3) where site.live.bytes.value > 0 {
      lines += ["", "\(Self.size(site.live.bytes)), \(Self.count(site.live.objects.value)) blocks:"]
      for frame in site.frames {
        let place = frame.line ?? String(frame.imageName)
        lines.append("  \(frame.isWaiting ? "await " : "")\(frame.function)  [\(place)]")
      }
    }
    let allocated = allocated
    lines += [
      "",
      "allocated  \(Self.size(allocated.bytes)) in \(Self.count(allocated.objects.value)) blocks (\(Self.error(allocated.objects))); allocator \(allocator)",
      "samples    \(samples), one in \(ByteCount(interval)) on average; lost \(lostSamples)",
    ]
    for note in notes { lines.append("note       \(note)") }
    return lines.joined(separator: "\n")
  }

  private static func row(_ size: String, _ share: String, _ count: String, _ name: String) -> String {
    func pad(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - text.count, 0)) + text
    }
    return "\(pad(size, 18)) \(pad(share, 7)) \(pad(count, 20))  \(name)"
  }

  /// Folded stacks, as tools for flame graphs read them: outermost function first, and live bytes. What has become less is left
  /// out, because they have no negative numbers.
  public var folded: String {
    var stacks: [String: Double] = [:]
    for site in sites where site.live.bytes.value >= 0.5 {
      var names = site.frames.reversed().map { Self.foldedName($0.function) }
      if let type = site.types.first?.name, site.types.count == 1 { names.append("[\(Self.foldedName(type))]") }
      stacks[names.joined(separator: ";"), default: 0] += site.live.bytes.value
    }
    return stacks.sorted { $0.key < $1.key }.map { "\($0.key) \(Int($0.value.rounded()))\n" }.joined()
  }

  private static func foldedName(_ name: String) -> String {
    String(name.map { $0 == ";" || $0.isNewline ? ":" : $0 })
  }
}
