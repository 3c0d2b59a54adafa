// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// This target has the library for LD_PRELOAD built, as a part of the products that it depends on.
