// SQLite: a transaction a step, which moves a counter and adds a row.
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "tests/crash/work_files.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

constexpr std::uint64_t kRowsKept = 300;

// A connection that closes itself.
class Database {
 public:
  static Result<Database> Open(const std::string& path) {
    Database database;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path.c_str(), &database.handle_, flags, nullptr) != SQLITE_OK)
      return database.Failure("cannot open " + path);
    sqlite3_extended_result_codes(database.handle_, 1);
    return database;
  }
  Database() = default;
  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database() { sqlite3_close_v2(handle_); }
  explicit operator bool() const { return handle_ != nullptr; }

  Status Run(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return Failure(sql);
    return {};
  }

  // The first column of the first row; "" if there is none.
  Result<std::string> Ask(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return Failure(sql);
    const int stepped = sqlite3_step(statement);
    std::string answer;
    if (stepped == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr)
      answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    const bool fine = stepped == SQLITE_ROW || stepped == SQLITE_DONE;
    Error error = fine ? Error{} : Failure(sql);
    sqlite3_finalize(statement);
    if (!fine) return error;
    return answer;
  }

 private:
  // What is wrong with the file itself is impossible; all else is an error of the moment.
  Error Failure(const std::string& what) const {
    const int code = sqlite3_errcode(handle_) & 0xff;
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return Error{damaged ? kImpossible : EIO, what + ": " + sqlite3_errmsg(handle_)};
  }

  sqlite3* handle_ = nullptr;
};

class Sqlite : public Work {
 public:
  Sqlite(std::string volume, std::string mode) : volume_(std::move(volume)), mode_(std::move(mode)) {}
  std::string name() const override { return volume_ + "-sqlite-" + mode_; }

  Status Step(const Trees& trees, std::uint64_t n) override {
    const std::string folder = InWork(trees, volume_, "sqlite-" + mode_);
    if (n == 1) HAWSER_TRY(MakeFolder(folder));
    if (!database_) HAWSER_TRY(Begin(folder + "/db"));
    HAWSER_ASSIGN(const std::string at, database_.Ask("SELECT n FROM counter"));
    const std::string step = std::to_string(n);
    if (at == step) return {};
    HAWSER_TRY(database_.Run("BEGIN IMMEDIATE; UPDATE counter SET n = " + step +
                             "; INSERT INTO steps VALUES(" + step +
                             ", hex(randomblob(100))); DELETE FROM steps WHERE n <= " + step + " - " +
                             std::to_string(kRowsKept) + ";"));
    return database_.Run("COMMIT");
  }

  // What recovery makes of a copy.
  Result<std::uint64_t> Find(const Trees& trees) const override {
    HAWSER_TRY(CheckWorkFolder(trees, volume_));
    const std::string path = InWork(trees, volume_, "sqlite-" + mode_) + "/db";
    const TempDir copy("hawser-sqlite-");
    for (const char* suffix : {"", "-journal", "-wal"}) {
      const std::string file = path + suffix;
      HAWSER_ASSIGN(const std::string content, ReadIfThere(file));
      if (!content.empty()) std::ofstream(copy / (std::string("db") + suffix), std::ios::binary) << content;
    }
    if (!Exists(copy / "db")) return std::uint64_t{0};
    auto found = FindIn(copy / "db");
    if (!found) return Error{found.error().code, path + ": " + found.error().message};
    return found;
  }

  void Forget() override { database_ = Database(); }

 private:
  Status Begin(const std::string& path) {
    HAWSER_ASSIGN(Database opened, Database::Open(path));
    HAWSER_TRY(opened.Run("PRAGMA journal_mode=" + mode_ +
                          "; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=50"));
    HAWSER_TRY(opened.Run(
        "BEGIN; CREATE TABLE IF NOT EXISTS counter(n INTEGER); CREATE TABLE IF NOT EXISTS steps(n INTEGER "
        "PRIMARY KEY, "
        "content TEXT); INSERT INTO counter SELECT 0 WHERE NOT EXISTS(SELECT * FROM counter); COMMIT"));
    database_ = std::move(opened);
    return {};
  }

  static Result<std::uint64_t> FindIn(const std::string& path) {
    HAWSER_ASSIGN(Database database, Database::Open(path));
    HAWSER_ASSIGN(const std::string check, database.Ask("PRAGMA integrity_check"));
    if (check != "ok") return Impossible("integrity_check says: " + check);
    HAWSER_ASSIGN(const std::string made,
                  database.Ask("SELECT count(*) FROM sqlite_master WHERE name = 'counter'"));
    if (made == "0") return std::uint64_t{0};
    HAWSER_ASSIGN(const std::string counter, database.Ask("SELECT n FROM counter"));
    HAWSER_ASSIGN(const std::string newest, database.Ask("SELECT coalesce(max(n), 0) FROM steps"));
    HAWSER_ASSIGN(const std::string rows, database.Ask("SELECT count(*) FROM steps"));
    const std::uint64_t n = std::strtoull(counter.c_str(), nullptr, 10);
    if (newest != counter || rows != std::to_string(std::min(n, kRowsKept)))
      return Impossible("the counter is " + counter + ", the newest row " + newest + ", with " + rows +
                        " rows");
    return n;
  }

  const std::string volume_;
  const std::string mode_;
  Database database_;
};

}  // namespace

void AddSqliteWorks(const std::string& volume, Works& works) {
  works.push_back(std::make_unique<Sqlite>(volume, "delete"));
  works.push_back(std::make_unique<Sqlite>(volume, "wal"));
}

Works AllWorks() {
  Works works;
  for (const char* volume : {"docs", "mail"}) {
    AddFileWorks(volume, works);
    AddSqliteWorks(volume, works);
  }
  works.push_back(MakeTokenWork("docs", "mail"));
  return works;
}

}  // namespace hawser::test
