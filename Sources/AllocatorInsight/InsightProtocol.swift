// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What is said at the socket: one request a connection, one answer, and the connection ends.
///
///     1 report json⏎                           version, command, format
///     swift-allocators 1 ok 1234⏎ 1234 bytes   version, whether it worked, and the length of what follows
///
/// A client can ask for a report (`text`, `json`, `prometheus`, `line`), for a trim (`text`, `json`), and for a profile of the heap:
/// `profile-start 524288,30` samples every so many bytes, and ends after so many seconds if nobody ends it before;
/// `profile-stop pprof` ends it, and answers with what it has seen.
///
/// And for a census: `census text` (or `json`) with what has changed since the last one that was asked for here; `census-new text` without that;
/// `census-mark begin` takes one, and answers with a number (`17 exact`, or `0 none` where it takes a profile first), with which
/// `census-since 17,text` answers with what has changed since then. There is nothing else.
package enum InsightProtocol {
  package static let version = 1
  /// Bytes of the longest request.
  static let longestRequest = 128
  package static let name = "swift-allocators"

  /// The answer to a request, which is what a client has sent up to a line feed.
  static func answer(to request: some Sequence<UInt8>) -> [UInt8] {
    let words = String(decoding: Array(request), as: UTF8.self).split(separator: " ")
    guard words.count == 3, words[0] == "\(version)" else {
      return answer(
        false, "this process speaks version \(version) of the protocol; the request has another one, or none")
    }
    switch (words[1], words[2]) {
    case ("report", "text"): return answer(true, MemoryReport.current(countingMappings: true).description + "\n")
    case ("report", "line"): return answer(true, MemoryReport.current().logLine + "\n")
    case ("report", "json"): return answer(true, MemoryReport.current().json + "\n")
    case ("report", "prometheus"): return answer(true, MemoryReport.current().prometheus)
    case ("trim", "text"): return answer(true, MemoryTrim.perform().sentence + "\n")
    case ("trim", "json"): return answer(true, MemoryTrim.perform().json + "\n")
    case ("profile-start", _): return startProfile(words[2])
    case ("profile-stop", "pprof"):
      guard let profile = HeapProfiler.stop() else { return answer(false, "no profile is under way in this process") }
      return answer(true, profile.pprofMessage)
    case ("census", _), ("census-new", _), ("census-mark", _), ("census-since", _):
      return census(words[1], words[2])
    default: return answer(false, "there is no such request")
    }
  }

  private static func census(_ request: Substring, _ argument: Substring) -> [UInt8] {
    do throws(Census.Failure) {
      switch (request, argument) {
      case ("census-mark", "begin"): return answer(true, try CensusHistory.mark() + "\n")
      case ("census", "text"), ("census", "json"):
        return answer(true, text(try CensusHistory.next(), argument))
      case ("census-new", "text"), ("census-new", "json"): return answer(true, text(try Census.current(), argument))
      default: break
      }
      let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      guard request == "census-since", parts.count == 2, let number = Int(parts[0]),
        ["text", "json"].contains(parts[1])
      else { return answer(false, "there is no such request") }
      return answer(true, text(try CensusHistory.since(number), parts[1]))
    } catch {
      // Who asks from outside can have one made.
      let hint = error.description == Census.refusalWithoutProfile ? "; --diff SECONDS makes a profile for so long" : ""
      return answer(false, error.description + hint)
    }
  }

  private static func text(_ census: Census, _ format: Substring) -> String {
    (format == "json" ? census.json : census.description) + "\n"
  }

  private static func startProfile(_ arguments: Substring) -> [UInt8] {
    let numbers = arguments.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let interval = numbers[0], let seconds = numbers[1],
      (1...longestProfile).contains(seconds)
    else { return answer(false, "a profile has an interval in bytes, and ends within \(longestProfile) seconds") }
    do throws(HeapProfiler.Failure) {
      try HeapProfiler.start(samplingEvery: interval, seconds: Double(seconds))
      return answer(true, "started\n")
    } catch {
      return answer(false, error.description)
    }
  }

  /// Seconds.
  package static let longestProfile = 86_400 + 60

  private static func answer(_ worked: Bool, _ body: String) -> [UInt8] { answer(worked, Array(body.utf8)) }

  private static func answer(_ worked: Bool, _ bytes: [UInt8]) -> [UInt8] {
    Array("\(name) \(version) \(worked ? "ok" : "error") \(bytes.count)\n".utf8) + bytes
  }
}
