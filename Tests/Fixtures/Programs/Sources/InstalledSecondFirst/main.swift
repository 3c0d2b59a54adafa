// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import InstallationReport
import SecondMalloc

precondition(second_malloc_version() == 1)
exit(reportInstallation())
