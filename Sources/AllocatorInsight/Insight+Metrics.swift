// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#if Metrics
  import AllocatorABI
  public import CoreMetrics
  import Metrics

  extension MemoryReport {
    /// Records the report as gauges of swift-metrics, with the names of ``prometheus`` (`memory_process_resident_bytes`, …).
    /// What is not known is not recorded. Takes the package trait `Metrics`.
    ///
    /// - Parameter factory: the metrics system; nil for the one that the program has bootstrapped.
    public func record(to factory: (any MetricsFactory)? = nil) {
      let factory = factory ?? MetricsSystem.factory
      func gauge(_ name: String, _ value: Int?, _ dimensions: (String, String)...) {
        guard let value else { return }
        Gauge(label: "memory_\(name)", dimensions: dimensions, factory: factory).record(value)
      }
      for kind in MemoryVerdict.Kind.allCases {
        gauge("verdict", kind == verdict.kind ? 1 : 0, ("kind", kind.rawValue))
      }
      gauge("growth_bytes_per_minute", Int(verdict.growthPerMinute))
      gauge("process_resident_bytes", process.residentBytes)
      gauge("process_peak_resident_bytes", process.peakResidentBytes)
      gauge("process_swap_bytes", process.swapBytes)
      gauge("process_threads", process.threadCount)
      if let allocator {
        for number in allocator.statistics.numbers {
          gauge("allocator_\(number.metric)", number.value, ("allocator", allocator.name))
        }
      }
      gauge("cgroup_limit_bytes", cgroup?.limitBytes)
      gauge("cgroup_current_bytes", cgroup?.currentBytes)
      gauge("cgroup_limit_hits_total", cgroup?.limitHits)
      gauge("cgroup_oom_kills_total", cgroup?.outOfMemoryKills)
    }
  }
#endif
