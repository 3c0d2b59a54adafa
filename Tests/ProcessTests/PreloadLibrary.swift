// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport

/// The libraries for LD_PRELOAD that this package builds.
enum PreloadLibrary: String, CaseIterable {
  case counting = "CountingPreload"
  case nest = "NestPreload"

  /// The path of the library, which is built.
  func path(_ configuration: FixturePackage.Configuration) throws -> String {
    try FixturePackage.programs.path(configuration, of: "lib\(rawValue).so")
  }
}
