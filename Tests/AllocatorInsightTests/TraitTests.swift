// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#if Metrics && ServiceLifecycle
  import Foundation
  import MetricsTestKit
  import ServiceLifecycle
  import ServiceLifecycleTestKit
  import XCTest

  @testable import AllocatorInsight

  /// What stands behind the package traits.
  final class TraitTests: XCTestCase {
    func testGauges() throws {
      let metrics = TestMetrics()
      let report = MemoryReport.current()
      report.record(to: metrics)
      XCTAssertEqual(
        try metrics.expectRecorder("memory_process_resident_bytes").lastValue,
        report.process.residentBytes.map(Double.init))
      let live = try metrics.expectRecorder("memory_allocator_live_bytes", [("allocator", "glibc")])
      XCTAssertEqual(live.lastValue, report.allocator?.statistics.liveBytes.map(Double.init))
      let verdict = try metrics.expectRecorder("memory_verdict", [("kind", report.verdict.kind.rawValue)])
      XCTAssertEqual(verdict.lastValue, 1)
      XCTAssertThrowsError(try metrics.expectRecorder("memory_allocator_allocations_total", [("allocator", "glibc")]))
    }

    func testServiceStartsAndEndsWithItsGroup() async throws {
      let folder = "/tmp/insight-service-\(getpid())"
      let socket = "\(folder)/\(getpid()).sock"
      defer { rmdir(folder) }
      try await testGracefulShutdown { trigger in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await InsightService(folder: folder, every: .milliseconds(20)).run() }
          var isThere = false
          for _ in 0..<500 where !isThere {
            isThere = access(socket, F_OK) == 0
            try await Task.sleep(for: .milliseconds(10))
          }
          XCTAssertTrue(isThere)
          XCTAssertTrue(try InsightClient(path: socket).ask("report line").contains("memory"))
          trigger.triggerGracefulShutdown()
          try await group.waitForAll()
        }
      }
      XCTAssertNotEqual(access(socket, F_OK), 0, "the socket is gone with the service")
    }
  }
#endif
