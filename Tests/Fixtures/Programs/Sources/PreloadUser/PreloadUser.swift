// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// This target has the libraries for LD_PRELOAD built, as a part of the products that it depends on.
