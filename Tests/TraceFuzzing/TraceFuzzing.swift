// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

package import AllocationTrace

/// What `trace-fuzzer` calls with each input.
@_cdecl("fuzz_trace")
public func fuzzTrace(_ data: UnsafePointer<UInt8>?, _ count: Int) {
  readAsTrace(Array(UnsafeBufferPointer(start: data, count: count)))
}

/// Reads the input as a trace, and makes a plan of it if it is one. The first byte decides whether the rest is the whole file, or what
/// stands behind a head that fits. Ends the process where the reader or the plan is wrong.
@discardableResult
public func readAsTrace(_ input: [UInt8]) -> Bool {
  guard let first = input.first else { return read([]) }
  let rest = Array(input.dropFirst())
  if first & 1 == 0 { return read(rest) }
  let command = rest.prefix(Int(first >> 2))
  return read(
    AllocationTrace.file(
      entries: Array(rest.dropFirst(command.count)), command: Array(command), hasTimes: first & 2 != 0))
}

private func read(_ bytes: [UInt8]) -> Bool {
  guard let trace = try? AllocationTrace(bytes: bytes) else { return false }
  var calls = 0
  // Whoever has read it once can read it again.
  do {
    try trace.forEach { _, live in
      calls += 1
      precondition(live.blocks >= 0 && live.bytes >= 0)
    }
    precondition(calls == trace.summary.calls)
    let plan = try ReplayPlan(trace, samples: 7)
    plan.check(against: trace.summary)
  } catch {
    // Of what can be read, more threads than can be replayed are the one thing that a plan refuses.
    precondition(trace.summary.threads > 4096, "\(error)")
  }
  return true
}

extension ReplayPlan {
  /// Runs the plan, with threads that go on as far as they can, one after the other: all of it can be done, no block is used that
  /// is not there, and the numbers are those of the trace.
  package func check(against summary: TraceSummary) {
    let words = bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self) }
    }
    let (threads, slots, samples, operations) = (Int(words[1]), Int(words[2]), Int(words[3]), Int(words[4]))
    let starts = words[5..<(6 + threads)].map { Int($0) }
    let sampled = Array(words[(6 + threads)..<(6 + threads + samples * threads)])
    let first = 6 + threads + samples * threads
    precondition(words.count == first + 2 * operations && starts.last == operations && samples == live.count)
    precondition(sampled.suffix(threads).enumerated().allSatisfy { Int($1) == starts[$0 + 1] - starts[$0] })
    var turns = Array(repeating: 0, count: slots)
    var sizes = Array(repeating: -1, count: slots)
    var next = Array(starts.dropLast())
    var bytesLive = 0
    for sample in 0..<samples {
      var hasMoved = true
      while hasMoved {
        hasMoved = false
        for thread in 0..<threads {
          let end = starts[thread] + Int(sampled[sample * threads + thread])
          while next[thread] < end {
            let (word, call) = (words[first + 2 * next[thread]], words[first + 2 * next[thread] + 1])
            let (slot, turn) = (Int(word & 0xFFFF_FFFF), Int(word >> 32))
            guard turns[slot] == turn else { break }
            let (size, kind) = (Int(call & 0xFFFF_FFFF_FFFF), call >> 56)
            precondition((sizes[slot] < 0) == (kind <= 2), "a block that is not there, or already")
            bytesLive += kind == 3 ? -sizes[slot] : size - max(sizes[slot], 0)
            sizes[slot] = kind == 3 ? -1 : size
            turns[slot] += 1
            next[thread] += 1
            hasMoved = true
          }
        }
      }
      for thread in 0..<threads {
        precondition(next[thread] == starts[thread] + Int(sampled[sample * threads + thread]), "threads wait for ever")
      }
      precondition(bytesLive == live[sample].bytes)
    }
    precondition(operations == summary.calls - summary.failures)
    precondition(live[peakSample].bytes == summary.peakLiveBytes)
  }
}
