// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A file that is part of a program, or of a process.
struct LoadedObject: Sendable {
  /// Its path, as the loader or the kernel names it.
  var path: String
  var image: ELFImage
}
