// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Programs that are linked with the static standard library.
final class SlowStaticLibraryTests: SlowTestCase {
  func testArtifacts() throws { try ArtifactCheck().check(.staticStandardLibrary) }

  func testArtifactsInDebugBuild() throws { try ArtifactCheck().check(.debugStaticStandardLibrary) }

  func testInstallation() throws { try InstallationCheck().check(.staticStandardLibrary) }
}
