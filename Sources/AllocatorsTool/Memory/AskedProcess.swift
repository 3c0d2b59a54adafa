// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Foundation

/// A process that is asked about its memory: what the kernel says, and where it has a socket, what it says itself.
struct AskedProcess {
  let process: ProcessMemory
  private let client: InsightClient

  /// - Throws: ``ToolFailure`` if there is no such process.
  init(_ processID: Int, folder: String?) throws(ToolFailure) {
    guard processID > 0, let process = ProcessMemory(ofProcess: processID) else {
      throw ToolFailure("there is no process \(processID)", .noInput)
    }
    self.process = process
    client = InsightClient(process: process, folder: folder)
  }

  /// What the process says itself, and nil with the reason where it does not.
  func ask(_ request: String) throws(ToolFailure) -> (answer: String?, reason: String) {
    let (answer, reason) = try askForBytes(request, patience: 10)
    return (answer.map { String(decoding: $0, as: UTF8.self) }, reason)
  }

  /// The same for an answer that is no text, and takes so many seconds at most.
  func askForBytes(_ request: String, patience: Double) throws(ToolFailure) -> (answer: [UInt8]?, reason: String) {
    do throws(InsightClient.Failure) {
      return (try client.askForBytes(request, patience: patience), "")
    } catch {
      switch error {
      case .noSocket:
        return (
          nil,
          "the process does not answer itself: with `Insight.start()` in its main (product AllocatorInsight), or with "
            + "ALLOCATORS_INSIGHT=1 under a preload library of this package, it would tell of its allocator"
        )
      case .refused:
        return (nil, "the process belongs to another user, who may ask it, as root may")
      case .silent:
        if ProcessMemory(ofProcess: process.processID) == nil {
          throw ToolFailure("process \(process.processID) has ended meanwhile", .noInput)
        }
        return (nil, "the process has a socket, but does not answer at it")
      case .otherVersion(let version):
        return (nil, "the process answers, but as \(version), and this command speaks \(InsightProtocol.version)")
      case .error(let text):
        return (nil, text.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
  }

  /// Which allocator answers `malloc` there, by what is mapped; nil where that cannot be told.
  var allocator: String? {
    guard let scope = try? LoaderScope(ofProcess: process.processID), let provider = scope.mallocProvider else {
      return nil
    }
    let name = AllocatorCode.allocators(in: provider.image).first ?? AllocatorCode.fiveFunctions(of: provider.image)
    return "malloc is answered by \(name ?? "an allocator that is not known here"), in \(provider.path)"
  }

  /// What the kernel says, as it is now.
  func reportOfSystem() throws(ToolFailure) -> MemoryReport {
    guard let report = MemoryReport(ofProcess: process.processID) else {
      throw ToolFailure("process \(process.processID) has ended meanwhile", .noInput)
    }
    return report
  }
}
