// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Tables and seeds are a part of measuring.
@_exported public import KitSupport
