// BadDisk: an SQLite file layer over the system's that fails when told: the n-th write, sync,
// truncate or open from now on, once or until it is healed. Only tests include it.
//
// Thread: any; SQLite calls it on the store's thread. Lifetime: one at a time, registered under
// kName until it goes.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace anywire::broker {

class BadDisk {
 public:
  static constexpr const char* kName = "anywire-bad-disk";

  BadDisk() {
    current_ = this;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = kName;
    vfs_.iVersion = 1;
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      return current_->open(name, file, flags, out);
    };
    vfs_.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
      return current_->real_->xDelete(current_->real_, name, sync);
    };
    vfs_.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
      return current_->real_->xAccess(current_->real_, name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
      return current_->real_->xFullPathname(current_->real_, name, size, out);
    };
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~BadDisk() { sqlite3_vfs_unregister(&vfs_); }
  BadDisk(const BadDisk&) = delete;
  BadDisk& operator=(const BadDisk&) = delete;

  // Fails the n-th operation from now (1 = the next) with `code`; those after it, too, if it
  // `lasts`.
  void fail_at(int n, int code, bool lasts) {
    code_ = code;
    lasts_ = lasts;
    left_ = n;
  }
  void heal() { left_ = 0; }
  // True once the failure asked for has come.
  bool has_failed() const { return left_ < 0; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;  // behind this
  };
  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

  int next_operation() {
    const int left = left_.load();
    if (left == 0) return SQLITE_OK;
    if (left < 0) return lasts_ ? code_.load() : SQLITE_OK;
    left_ = left == 1 ? -1 : left - 1;
    return left == 1 ? code_.load() : SQLITE_OK;
  }

  int open(const char* name, sqlite3_file* file, int flags, int* out) {
    auto* const own = reinterpret_cast<File*>(file);
    own->base.pMethods = nullptr;
    own->real = reinterpret_cast<sqlite3_file*>(own + 1);
    if (next_operation() != SQLITE_OK) return SQLITE_CANTOPEN;
    const int code = real_->xOpen(real_, name, own->real, flags, out);
    if (own->real->pMethods != nullptr) own->base.pMethods = methods();
    return code;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods m{};
      m.iVersion = 1;
      m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
      m.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        return real(f)->pMethods->xRead(real(f), to, size, at);
      };
      m.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        const int code = current_->next_operation();
        // A failing write leaves half of it behind.
        const int written = code == SQLITE_OK ? size : size / 2;
        const int real_code = real(f)->pMethods->xWrite(real(f), from, written, at);
        return code == SQLITE_OK ? real_code : code;
      };
      m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        const int code = current_->next_operation();
        return code == SQLITE_OK ? real(f)->pMethods->xTruncate(real(f), size) : code;
      };
      // Nothing is synced: no test pulls the plug.
      m.xSync = [](sqlite3_file*, int) {
        const int code = current_->next_operation();
        return code == SQLITE_FULL ? SQLITE_IOERR_FSYNC : code;
      };
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* out) {
        return real(f)->pMethods->xFileSize(real(f), out);
      };
      m.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
      m.xUnlock = [](sqlite3_file* f, int level) {
        return real(f)->pMethods->xUnlock(real(f), level);
      };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return real(f)->pMethods->xCheckReservedLock(real(f), out);
      };
      m.xFileControl = [](sqlite3_file* f, int what, void* with) {
        return real(f)->pMethods->xFileControl(real(f), what, with);
      };
      m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) {
        return real(f)->pMethods->xDeviceCharacteristics(real(f));
      };
      return m;
    }();
    return &all;
  }

  static inline BadDisk* current_ = nullptr;
  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  std::atomic<int> left_{0};  // operations until the failure; 0 = none ordered, -1 = it has come
  std::atomic<int> code_{SQLITE_OK};
  std::atomic<bool> lasts_{false};
};

}  // namespace anywire::broker
