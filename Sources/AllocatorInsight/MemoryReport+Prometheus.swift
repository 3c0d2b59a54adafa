// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

extension MemoryReport {
  /// The report in Prometheus's text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
  ///
  /// Names begin with `memory_`; what is not known is left out. The verdict is a set of gauges, one for each kind, of which
  /// one is 1.
  public var prometheus: String {
    var text = ""
    func metric(
      _ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double?)], type: String = "gauge"
    ) {
      let known = samples.filter { $0.value != nil }
      guard !known.isEmpty else { return }
      text += "# HELP memory_\(name) \(help)\n# TYPE memory_\(name) \(type)\n"
      for (labels, value) in known {
        let inner = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let shown = value.map { $0 == $0.rounded() ? "\(Int($0))" : decimal($0, 3) } ?? ""
        text += "memory_\(name)\(inner.isEmpty ? "" : "{\(inner)}") \(shown)\n"
      }
    }
    func metric(_ name: String, _ help: String, _ value: Int?, type: String = "gauge") {
      metric(name, help, [([], value.map(Double.init))], type: type)
    }

    metric(
      "verdict", "1 for what memory is doing, 0 for what it is not.",
      MemoryVerdict.Kind.allCases.map { ([("kind", $0.rawValue)], $0 == verdict.kind ? 1 : 0) })
    metric(
      "growth_bytes_per_minute", "By how much it rises in a minute.", [([], verdict.growthPerMinute.rounded())])
    metric("process_resident_bytes", "Bytes of the process in memory.", process.residentBytes)
    metric(
      "process_resident_kind_bytes", "Bytes of the process in memory, by kind.",
      [
        ([("kind", "anonymous")], process.anonymousBytes.map(Double.init)),
        ([("kind", "file")], process.fileBytes.map(Double.init)),
        ([("kind", "shared")], process.sharedBytes.map(Double.init)),
      ])
    metric("process_peak_resident_bytes", "The most bytes in memory at once.", process.peakResidentBytes)
    metric("process_swap_bytes", "Bytes that are swapped out.", process.swapBytes)
    metric("process_threads", "Threads.", process.threadCount)
    if let allocator {
      for number in allocator.statistics.numbers {
        metric(
          "allocator_\(number.metric)", number.help,
          [([("allocator", allocator.name)], number.value.map(Double.init))],
          type: number.metric.hasSuffix("_total") ? "counter" : "gauge")
      }
    }
    if let cgroup {
      metric("cgroup_limit_bytes", "The control group's limit.", cgroup.limitBytes)
      metric("cgroup_current_bytes", "What the control group uses.", cgroup.currentBytes)
      metric("cgroup_limit_hits_total", "How often the limit was hit.", cgroup.limitHits, type: "counter")
      metric("cgroup_oom_kills_total", "Processes killed for it.", cgroup.outOfMemoryKills, type: "counter")
      metric(
        "cgroup_pressure_percent", "Share of the last 10 seconds in which tasks waited for memory.",
        [([("tasks", "some")], cgroup.pressure?.some10), ([("tasks", "full")], cgroup.pressure?.full10)])
    }
    return text
  }

  /// A label's value: backslash, quote and line feed are escaped.
  private static func escaped(_ value: String) -> String {
    var text = ""
    for character in value {
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.append(character)
      }
    }
    return text
  }
}
