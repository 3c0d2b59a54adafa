// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport

/// The libraries for LD_PRELOAD that this package builds.
enum PreloadLibrary: String, CaseIterable {
  case counting = "CountingPreload"
  case nest = "NestPreload"
  case nestHardened = "NestHardenedPreload"
  /// For `allocators record`; by itself it does what the system's allocator does.
  case tracing = "TracingPreload"

  /// Those that every program is run on.
  static let allCases = [counting, nest, nestHardened]

  /// The path of the library, which is built.
  func path(_ configuration: FixturePackage.Configuration) throws -> String {
    try FixturePackage.programs.path(configuration, of: "lib\(rawValue).so")
  }
}
