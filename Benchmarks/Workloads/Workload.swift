// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Real work over real input, in ordinary Swift: what an allocator is to be measured with.
///
/// A workload knows nothing of allocators or of measuring. The same input gives the same checksum whatever allocator the
/// program is linked with.
public enum Workload: String, CaseIterable, Sendable {
  /// Decodes a JSON file into structures and encodes them again: many small strings of one thread.
  case json

  /// Builds an index of the words of many texts, on four threads: dictionaries and strings that one thread allocates and
  /// another releases.
  case words

  /// Builds and tears down trees of class objects: reference counting, one size, deep ownership.
  case trees

  /// What the workloads read on this machine, in one line. Times with different input do not compare.
  public static var inputDescription: String {
    Input.isReal ? "Input: \(Input.languagesPath), \(Input.licensesPath)" : "Input: generated, for want of iso-codes"
  }

  /// Does the work.
  ///
  /// - Parameter repetitions: how often; nil is the usual number, which takes about a second on a machine of 2026.
  /// - Returns: a checksum of the results.
  /// - Throws: what reading or decoding the input throws.
  public func run(repetitions: Int? = nil) throws -> UInt64 {
    switch self {
    case .json: try JSONRoundTrip.run(repetitions: repetitions ?? 12)
    case .words: WordIndex.run(repetitions: repetitions ?? 12)
    case .trees: Trees.run(repetitions: repetitions ?? 12)
    }
  }
}
