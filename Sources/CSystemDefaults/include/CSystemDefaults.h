// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Nothing to import: this target is linked for the weak definitions that it contains.
