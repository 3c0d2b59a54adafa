// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

extension MemoryReport {
  /// The report as a JSON object (RFC 8259). Sizes are in bytes, times in seconds; what is not known is null.
  public var json: String {
    var writer = JSONWriter()
    writer.object { write(to: &$0) }
    return writer.text
  }

  /// The same, with a remark.
  package func json(note: String) -> String {
    var writer = JSONWriter()
    writer.object {
      write(to: &$0)
      $0.member("note", note)
    }
    return writer.text
  }

  func write(to writer: inout JSONWriter) {
    writer.member("time", time)
    writer.object("verdict") {
      $0.member("kind", verdict.kind.rawValue)
      $0.member("sentence", verdict.sentence)
      $0.member("seconds", verdict.since)
      $0.member("growthPerMinute", Int(verdict.growthPerMinute))
    }
    writer.object("process") {
      $0.member("id", process.processID)
      $0.member("name", process.name)
      $0.member("userID", process.userID)
      $0.member("resident", process.residentBytes)
      $0.member("anonymous", process.anonymousBytes)
      $0.member("file", process.fileBytes)
      $0.member("shared", process.sharedBytes)
      $0.member("peakResident", process.peakResidentBytes)
      $0.member("swap", process.swapBytes)
      $0.member("virtual", process.virtualBytes)
      $0.member("threads", process.threadCount)
    }
    if let mappings {
      writer.object("mappings") {
        $0.member("proportional", mappings.proportionalBytes)
        $0.member("privateDirty", mappings.privateDirtyBytes)
        $0.member("lazilyFreed", mappings.lazilyFreedBytes)
        $0.member("hugePages", mappings.hugePageBytes)
      }
    } else {
      writer.null("mappings")
    }
    if let allocator {
      let statistics = allocator.statistics
      writer.object("allocator") {
        $0.member("name", allocator.name)
        $0.member("image", allocator.image)
        for number in statistics.numbers { $0.member(number.name, number.value) }
        $0.member("releasableNow", releasableBytes)
      }
    } else {
      writer.null("allocator")
    }
    if let cgroup {
      writer.object("cgroup") {
        $0.member("version", cgroup.version)
        $0.member("folder", cgroup.folder)
        $0.member("limit", cgroup.limitBytes)
        $0.member("high", cgroup.highBytes)
        $0.member("current", cgroup.currentBytes)
        $0.member("idleFile", cgroup.idleFileBytes)
        $0.member("limitHits", cgroup.limitHits)
        $0.member("highHits", cgroup.highHits)
        $0.member("outOfMemoryKills", cgroup.outOfMemoryKills)
        $0.member("pressureSome10", cgroup.pressure?.some10)
        $0.member("pressureSome60", cgroup.pressure?.some60)
        $0.member("pressureFull10", cgroup.pressure?.full10)
      }
    } else {
      writer.null("cgroup")
    }
    if let lastTrim { writer.object("lastTrim") { lastTrim.write(to: &$0) } } else { writer.null("lastTrim") }
  }
}

extension MemoryTrim {
  /// The trim as a JSON object.
  public var json: String {
    var writer = JSONWriter()
    writer.object { write(to: &$0) }
    return writer.text
  }

  func write(to writer: inout JSONWriter) {
    writer.member("sentence", sentence)
    writer.member("isPossible", isPossible)
    writer.member("residentBefore", residentBefore)
    writer.member("residentAfter", residentAfter)
    writer.member("released", releasedBytes)
    writer.member("expected", expectedBytes)
    writer.member("live", liveBytes)
    writer.member("heap", heapBytes)
    writer.member("took", seconds)
  }
}

extension AllocatorStatistics {
  /// A number, what it is called in JSON and for Prometheus, and what it means.
  struct Number {
    var name: String
    var metric: String
    var help: String
    var value: Int?
  }

  var numbers: [Number] {
    [
      Number(name: "live", metric: "live_bytes", help: "Bytes in live blocks.", value: liveBytes),
      Number(name: "active", metric: "active_bytes", help: "Bytes of pages with live blocks.", value: activeBytes),
      Number(
        name: "resident", metric: "resident_bytes", help: "Bytes in memory that the allocator holds, at most.",
        value: residentBytes),
      Number(name: "mapped", metric: "mapped_bytes", help: "Bytes of address space in use.", value: mappedBytes),
      Number(
        name: "retained", metric: "retained_bytes", help: "Bytes of address space kept without memory.",
        value: retainedBytes),
      Number(name: "metadata", metric: "metadata_bytes", help: "Bytes of the allocator's own.", value: metadataBytes),
      Number(name: "free", metric: "free_bytes", help: "Bytes that are free and the allocator's.", value: freeBytes),
      Number(
        name: "releasable", metric: "releasable_bytes", help: "Bytes that a trim would give back.",
        value: releasableBytes),
      Number(name: "liveBlocks", metric: "live_blocks", help: "Live blocks.", value: liveBlocks),
      Number(name: "allocations", metric: "allocations_total", help: "Blocks allocated.", value: allocations),
      Number(name: "deallocations", metric: "deallocations_total", help: "Blocks released.", value: deallocations),
    ]
  }
}
