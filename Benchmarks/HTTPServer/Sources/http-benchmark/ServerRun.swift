// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What one server did under both loads.
struct ServerRun {
  var name: String
  var threadCount: Int
  var get: Wrk.Result
  var post: Wrk.Result

  /// Bytes resident when it began to answer.
  var startBytes: Int
  /// Bytes resident at the peak, as the kernel knows it.
  var peakBytes: Int
  /// Bytes resident 5 s after the load ended.
  var afterBytes: Int
}
