// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CMimalloc

extension MimallocAllocator: StatisticsReporting {
  /// What mimalloc says of the process (`mi_process_info`): the bytes that it has committed. A release build of it keeps no count
  /// of live bytes. See `StatisticsReporting.statistics`.
  public static var statistics: AllocatorStatistics {
    @_noLocks get {
      var statistics = AllocatorStatistics()
      var committed = 0
      mi_process_info(nil, nil, nil, nil, nil, &committed, nil, nil)
      statistics.mappedBytes = committed
      return statistics
    }
  }
}
